package dev.tuna.core.control;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Scheduler;
import com.github.benmanes.caffeine.cache.Ticker;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.BackendTls;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/**
 * Asks for the list of models, and then for one token of a chat: what answers both can serve. A health page that says 200
 * proves less: engines answer it before they can do the work.
 */
public final class HttpProber implements Prober {

    /** As many as the router follows. */
    private static final int MOST_HOPS = 100;

    /** Replicas in the making at once, at most; more cost a new client each time. */
    private static final int MOST_CLIENTS = 64;

    /** Of a replica that is not asked any more, though it never answered. */
    static final Duration IDLE = Duration.ofMinutes(10);

    private final HttpClient http;

    /** One for each backend that no public authority knows, until it answers as it should. */
    private final Cache<BackendTls, HttpClient> own;

    /**
     * Probes with a client.
     *
     * @param http stays open
     */
    public HttpProber(HttpClient http) {
        this(http, Ticker.systemTicker());
    }

    HttpProber(HttpClient http, Ticker ticker) {
        this.http = Objects.requireNonNull(http, "http");
        this.own = Caffeine.newBuilder()
                .maximumSize(MOST_CLIENTS)
                .expireAfterAccess(IDLE)
                .executor(Runnable::run)
                .scheduler(Scheduler.systemScheduler()) // whether anybody else is asked or not
                .ticker(ticker)
                .build();
    }

    /** How many replicas have a client of their own now. */
    long clients() {
        own.cleanUp();
        return own.estimatedSize();
    }

    @Override
    public CompletableFuture<Optional<String>> probe(BackendAddress backend, String model, Duration limit) {
        return CompletableFuture.completedFuture(backend)
                .thenApply(
                        address -> request(address, "/v1/models", limit).GET().build())
                .thenCompose(request -> send(backend, request, limit))
                .thenCompose(answer -> {
                    Optional<String> fault = fault("GET /v1/models", backend, answer);
                    if (fault.isEmpty() && !serves(answer.body(), model)) {
                        fault = Optional.of("it does not serve the model '" + model + "'");
                    }
                    return fault.isPresent() ? CompletableFuture.completedFuture(fault) : chat(backend, model, limit);
                })
                .thenApply(fault -> {
                    if (fault.isEmpty()) {
                        backend.tls().ifPresent(own::invalidate);
                    }
                    return fault;
                })
                .exceptionally(failure -> Optional.of(words(failure)));
    }

    private CompletableFuture<Optional<String>> chat(BackendAddress backend, String model, Duration limit) {
        var body = PlanJson.MAPPER.createObjectNode();
        body.put("model", model);
        body.putArray("messages").addObject().put("role", "user").put("content", "Hi");
        body.put("max_tokens", 1);
        HttpRequest request = request(backend, "/v1/chat/completions", limit)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
                .build();
        return send(backend, request, limit).thenApply(answer -> fault("POST /v1/chat/completions", backend, answer));
    }

    /** Some front ends answer 303 while nothing has come of a request: what comes is then had with GET, at the place they name. */
    private CompletableFuture<HttpResponse<String>> send(BackendAddress backend, HttpRequest request, Duration limit) {
        return client(backend)
                .sendAsync(request, HttpResponse.BodyHandlers.ofString())
                .thenCompose(answer -> follow(backend, answer, limit, MOST_HOPS))
                .orTimeout(limit.toMillis(), TimeUnit.MILLISECONDS);
    }

    private CompletableFuture<HttpResponse<String>> follow(
            BackendAddress backend, HttpResponse<String> answer, Duration limit, int hops) {
        Optional<URI> place = answer.statusCode() == 303 && hops > 0
                ? answer.headers().firstValue("Location").map(answer.request().uri()::resolve)
                : Optional.empty();
        // To nobody else: the credential goes along.
        if (place.filter(uri -> sameServer(uri, backend.url())).isEmpty()) {
            return CompletableFuture.completedFuture(answer);
        }
        HttpRequest next = request(backend, place.get(), limit).GET().build();
        return client(backend)
                .sendAsync(next, HttpResponse.BodyHandlers.ofString())
                .thenCompose(later -> follow(backend, later, limit, hops - 1));
    }

    private static boolean sameServer(URI one, URI other) {
        return Objects.equals(one.getScheme(), other.getScheme())
                && Objects.equals(one.getAuthority(), other.getAuthority());
    }

    private HttpClient client(BackendAddress backend) {
        return backend.tls().map(tls -> own.get(tls, this::client)).orElse(http);
    }

    private HttpClient client(BackendTls tls) {
        HttpClient.Builder client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).sslContext(tls.sslContext());
        http.executor().ifPresent(client::executor);
        http.connectTimeout().ifPresent(client::connectTimeout);
        return client.build();
    }

    private static HttpRequest.Builder request(BackendAddress backend, String path, Duration limit) {
        String base = backend.url().toString().replaceAll("/+$", "");
        return request(backend, URI.create(base + path), limit);
    }

    private static HttpRequest.Builder request(BackendAddress backend, URI place, Duration limit) {
        HttpRequest.Builder request = HttpRequest.newBuilder(place).timeout(limit);
        backend.credential()
                .ifPresent(credential ->
                        request.header(credential.header(), credential.value().reveal()));
        return request;
    }

    private static Optional<String> fault(String what, BackendAddress backend, HttpResponse<String> answer) {
        int status = answer.statusCode();
        if (backend.unserved().stream().anyMatch(each -> each.matches(status, answer.body()))) {
            return Optional.of(what + " was answered by the cloud, since no server of it has taken it yet");
        }
        return status == 200 ? Optional.empty() : Optional.of(what + " was answered with HTTP " + status);
    }

    private static boolean serves(String body, String model) {
        try {
            for (JsonNode each : PlanJson.MAPPER.readTree(body).path("data")) {
                if (each.path("id").asText().equals(model)) {
                    return true;
                }
            }
            return false;
        } catch (JsonProcessingException e) {
            return false;
        }
    }

    private static String words(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        // Only what the network says: other exceptions may quote the request, and with it the credential.
        return cause instanceof IOException && cause.getMessage() != null
                ? cause.getClass().getSimpleName() + ": " + cause.getMessage()
                : cause.getClass().getSimpleName();
    }
}
