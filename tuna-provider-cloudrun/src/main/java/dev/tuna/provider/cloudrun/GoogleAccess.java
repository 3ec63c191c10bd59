package dev.tuna.provider.cloudrun;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.api.client.http.HttpResponseException;
import com.google.api.client.http.HttpTransport;
import com.google.auth.oauth2.AccessToken;
import com.google.auth.oauth2.IdTokenProvider;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.Secret;
import dev.tuna.provider.support.JsonApi;
import dev.tuna.provider.support.JsonCall;
import dev.tuna.provider.support.Redaction;
import dev.tuna.spi.Credential;
import dev.tuna.spi.ProviderContext;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The tokens that Google wants: access tokens for its APIs, ID tokens for private services. Each is used until shortly before
 * it ends, and then there is a new one. Thread-safe.
 */
final class GoogleAccess {

    /** A token lives for an hour; whoever gets one that is this old may still be using it for a while. */
    static final Duration RENEWAL = Duration.ofMinutes(10);

    private static final int QUOTED_LENGTH = 500;

    private final ProviderContext context;
    private final CredentialSource source;
    private final GoogleHosts hosts;
    private final HttpTransport transport;
    private final MetadataServer metadata;
    private final JsonApi iam;
    private final Optional<String> quotaProject;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<List<String>, Token> idTokens = new ConcurrentHashMap<>();

    // Guarded by lock:
    private @Nullable Token access;
    private @Nullable Login login;

    GoogleAccess(ProviderContext context, CloudRunSettings settings, UnaryOperator<String> environment) {
        this.context = context;
        this.source = new CredentialSource(context.secrets(), settings.credentials(), environment);
        this.quotaProject = settings.quotaProject();
        this.hosts = new GoogleHosts(settings.apiUrl());
        this.transport = new GoogleTransport(context.http(), hosts);
        this.metadata = new MetadataServer(context.http(), hosts, source);
        this.iam = api(GoogleHosts.IAM_CREDENTIALS);
    }

    /** A token and when it ends. */
    private record Token(Secret value, Instant end) {
        boolean isFresh(Instant now) {
            return now.plus(RENEWAL).isBefore(end);
        }
    }

    /** One of Google's APIs. */
    JsonApi api(String host) {
        return JsonApi.builder(CloudRunProvider.NAME, hosts.of(host), context)
                .errors(new CloudRunErrors())
                .build();
    }

    CredentialSource source() {
        return source;
    }

    /** Who calls; empty if no credential is found anywhere. */
    Optional<Login> login() {
        lock.lock();
        try {
            if (login == null) {
                login = find().orElse(null);
            }
            return Optional.ofNullable(login);
        } finally {
            lock.unlock();
        }
    }

    private Optional<Login> find() {
        Optional<CredentialSource.Found> found = source.find();
        if (found.isEmpty()) {
            return metadata.account().map(account -> Login.onGoogle(() -> transport, Optional.of(account)));
        }
        try {
            return Optional.of(Login.of(found.get(), () -> transport));
        } catch (IOException | IllegalArgumentException e) {
            throw ProviderException.of(CloudRunProvider.NAME, "read credentials")
                    .code(ErrorCode.CREDENTIALS)
                    .message(found.get().where() + ": "
                            + words(e, List.of(found.get().text())))
                    .build();
        }
    }

    private Login required() {
        return login().orElseThrow(() -> ProviderException.of(CloudRunProvider.NAME, "look up credentials")
                .code(ErrorCode.NOT_CONFIGURED)
                .message("there are no Google credentials; run gcloud auth application-default login, or set "
                        + CredentialSource.FILE_VARIABLE)
                .build());
    }

    /** What Google's APIs are sent. */
    Credential accessToken() {
        lock.lock();
        try {
            Instant now = context.clock().instant();
            Token token = access;
            if (token == null || !token.isFresh(now)) {
                // The file may have been replaced since.
                login = null;
                token = mint(required());
                access = token;
            }
            return Credential.bearer(token.value());
        } finally {
            lock.unlock();
        }
    }

    private Token mint(Login who) {
        try {
            return token(who.credentials().refreshAccessToken());
        } catch (IOException e) {
            throw refused("get access token", who, e);
        }
    }

    private Token token(AccessToken token) {
        Instant end = Optional.ofNullable(token.getExpirationTime())
                .map(Date::toInstant)
                .orElseGet(() -> context.clock().instant().plus(RENEWAL));
        return new Token(Secret.of(token.getTokenValue()), end);
    }

    /** Which account ID tokens are of, if it is known: the one named, or the credential's own. */
    Optional<String> invoker(String named) {
        return named.isEmpty() ? login().flatMap(Login::account) : Optional.of(named);
    }

    /**
     * What a private service is sent.
     *
     * @param audience the service's URL without a path
     * @param account whom to act as; empty for the credential's own account
     */
    Credential idToken(URI audience, String account) {
        List<String> key = List.of(audience.toString(), account);
        Instant now = context.clock().instant();
        Token token = idTokens.get(key);
        if (token == null || !token.isFresh(now)) {
            // Two at once may both mint: each token is good.
            token = mintIdToken(audience, account);
            idTokens.put(key, token);
        }
        return Credential.bearer(token.value());
    }

    private Token mintIdToken(URI audience, String account) {
        if (!account.isEmpty()) {
            return impersonated(audience, account);
        }
        Login who = required();
        IdTokenProvider provider = who.idTokens()
                .orElseThrow(() -> ProviderException.of(CloudRunProvider.NAME, "get ID token")
                        .code(ErrorCode.CREDENTIALS)
                        .message("the credential of " + who.where() + " (" + who.type()
                                + ") cannot make ID tokens for Cloud Run; set the option invoker_service_account to a service"
                                + " account that it may act as, or the option access to engine_key")
                        .build());
        try {
            return token(provider.idTokenWithAudience(audience.toString(), List.of()));
        } catch (IOException e) {
            throw refused("get ID token", who, e);
        }
    }

    private Token impersonated(URI audience, String account) {
        JsonNode answer = authorized(
                        iam.post("get ID token", "/v1/projects/-/serviceAccounts/{}:generateIdToken", account))
                .json(Map.of("audience", audience.toString(), "includeEmail", true))
                .idempotent()
                .send();
        String token = answer.path("token").asText("");
        if (token.isEmpty()) {
            throw ProviderException.of(CloudRunProvider.NAME, "get ID token")
                    .message("the answer has no token")
                    .build();
        }
        return new Token(Secret.of(token), end(token));
    }

    /** An ID token says itself when it ends. */
    private Instant end(String token) {
        String[] parts = token.split("\\.");
        try {
            JsonNode claims = ServicePlan.JSON.readTree(Base64.getUrlDecoder().decode(parts[1]));
            return Instant.ofEpochSecond(claims.path("exp").asLong());
        } catch (IOException | IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
            return context.clock().instant().plus(RENEWAL);
        }
    }

    /** A call with the access token, and with the project that it is counted for where one has to be told. */
    JsonCall authorized(JsonCall call) {
        call.credential(accessToken());
        quotaProject().ifPresent(project -> call.header("x-goog-user-project", project));
        return call;
    }

    private Optional<String> quotaProject() {
        Optional<Login> who = login();
        return quotaProject
                .or(() -> source.variable("GOOGLE_CLOUD_QUOTA_PROJECT"))
                .or(() -> who.flatMap(Login::quotaProject))
                .or(() -> who.filter(Login::isPerson).flatMap(person -> project()));
    }

    /** The project that is meant when nobody names one. Asks nobody. */
    Optional<String> project() {
        return Optional.ofNullable(context.settings().get("project"))
                .or(() -> source.variable("GOOGLE_CLOUD_PROJECT"))
                .or(() -> source.find()
                        .flatMap(file -> file.field("project_id").or(() -> file.field("quota_project_id"))));
    }

    private ProviderException refused(String operation, Login who, IOException cause) {
        boolean unanswered = isUnanswered(cause);
        var error = ProviderException.of(CloudRunProvider.NAME, operation)
                .code(unanswered ? ErrorCode.UNREACHABLE : ErrorCode.CREDENTIALS)
                .retryable(unanswered)
                .message("with the credential of " + who.where() + ": "
                        + words(
                                cause,
                                source.find().stream()
                                        .map(CredentialSource.Found::text)
                                        .toList()));
        // Without the cause, whose text may quote what was sent.
        return error.build();
    }

    private static boolean isUnanswered(Throwable cause) {
        for (Throwable at = cause; at != null; at = at.getCause()) {
            if (at instanceof HttpResponseException answer) {
                return answer.getStatusCode() >= 500 || answer.getStatusCode() == 429;
            }
            if (at instanceof ConnectException
                    || at instanceof HttpTimeoutException
                    || at instanceof InterruptedIOException) {
                return true;
            }
        }
        return false;
    }

    private static String words(Throwable failure, List<Secret> secrets) {
        List<Secret> known = new ArrayList<>(secrets);
        StringBuilder text = new StringBuilder();
        for (Throwable at = failure; at != null; at = at.getCause()) {
            if (at.getMessage() != null && !text.toString().contains(at.getMessage())) {
                text.append(text.isEmpty() ? "" : ": ").append(at.getMessage());
            }
        }
        String quoted = Redaction.of(known).quote(text.toString(), QUOTED_LENGTH);
        return quoted.isEmpty() ? failure.getClass().getSimpleName() : quoted;
    }
}
