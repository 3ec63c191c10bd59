package dev.tuna.examples.plugin;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.ProviderException;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessSpec;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The servers in use. Which ones those are is known from the journal alone, so that the answer is the same after a
 * restart: each is declared as a {@code registration} when it comes into use. Thread-safe.
 */
final class StaticCloud implements ServerlessCloud {

    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final String SERVER = "server";
    private static final String REGISTRATION = "registration";

    private final ProviderContext context;

    StaticCloud(ProviderContext context) {
        this.context = context;
    }

    @Override
    public PreflightReport preflight(ServerlessSpec spec, boolean fix) {
        List<Check> checks = new ArrayList<>();
        try {
            StaticServer server = StaticServer.of(spec, context.settings());
            checks.add(Check.passed("options_valid", "the server is " + server.url()));
            Optional<Credential> credential = credential(server);
            checks.add(checkAnswers(server));
            checks.add(checkModel(server, credential, spec.engine().servedModelName()));
        } catch (ConfigurationException e) {
            checks.add(Check.failed("options_valid", e.problems().get(0), "set the provider option 'url'"));
        } catch (ProviderException e) {
            checks.add(Check.failed("key_known", String.valueOf(e.getMessage()), "put the key into the secret store"));
        }
        return new PreflightReport(StaticServer.PROVIDER, checks);
    }

    private Check checkAnswers(StaticServer server) {
        return answers(server)
                ? Check.passed("url_answers", server.url() + " is healthy")
                : Check.failed(
                        "url_answers",
                        server.url() + "/health does not answer 200",
                        "start the server, then try: curl -i " + server.url() + "/health");
    }

    private Check checkModel(StaticServer server, Optional<Credential> credential, String model) {
        Optional<HttpResponse<String>> models = get(server.url(), "/v1/models", credential);
        if (models.filter(answer -> answer.statusCode() == 200 && answer.body().contains("\"" + model + "\""))
                .isPresent()) {
            return Check.passed("model_served", server.url() + " serves '" + model + "'");
        }
        String status = models.map(answer -> "HTTP " + answer.statusCode()).orElse("no answer");
        return Check.failed(
                "model_served",
                server.url() + "/v1/models does not list '" + model + "' (" + status + ")",
                "serve the model as '" + model + "' and check the option 'api_key_secret'");
    }

    /** The GPUs behind a URL are not known. */
    @Override
    public List<GpuOffer> offers(GpuQuery query) {
        return List.of();
    }

    @Override
    public ServerlessPlan plan(ServerlessSpec spec) {
        refuse("region", spec.region());
        refuse("engine version", spec.engine().version());
        refuse("container image", spec.engine().containerImage());
        StaticServer server = StaticServer.of(spec, context.settings());
        return new ServerlessPlan(
                spec.deployment(),
                server.resource(SERVER),
                "use the server that runs at " + server.url(),
                server.url().toString(),
                List.of("scaling is left to whoever runs the server"));
    }

    private static void refuse(String setting, Optional<String> value) {
        value.ifPresent(set -> {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    setting + " is '" + set + "' but provider static only uses what already runs; leave it unset");
        });
    }

    @Override
    public ResourceRef begin(ServerlessPlan plan) {
        StaticServer server = StaticServer.of(plan.resource());
        context.journal().intend(server.deployment(), server.resource(REGISTRATION), plan.body());
        return plan.resource();
    }

    @Override
    public ServerlessObservation observe(ResourceRef resource) {
        StaticServer server = StaticServer.of(resource);
        if (!context.journal().open(server.deployment()).contains(server.resource(REGISTRATION))) {
            return ServerlessObservation.gone(Optional.empty());
        }
        boolean up = answers(server);
        BackendAddress address = new BackendAddress(server.url(), credential(server), "/health", Optional.empty(), 0);
        return new ServerlessObservation(
                up ? BackendPhase.READY : BackendPhase.BOOTING,
                up ? "" : server.url() + " does not answer",
                Optional.of(address),
                OptionalInt.empty(),
                Optional.empty(),
                server.usdPerHour());
    }

    @Override
    public void destroy(ResourceRef resource) {
        context.journal().gone(StaticServer.of(resource).resource(REGISTRATION));
    }

    /** Nothing: a server that somebody else runs carries no tag of ours. */
    @Override
    public List<FoundResource> find() {
        return List.of();
    }

    @Override
    public void close() {}

    private Optional<Credential> credential(StaticServer server) {
        return server.key()
                .map(ref -> Credential.bearer(context.secrets().get(ref).orElseThrow(() -> noKey(ref))));
    }

    private static ProviderException noKey(SecretRef ref) {
        return ProviderException.of(StaticServer.PROVIDER, "look up key")
                .code(ErrorCode.CREDENTIALS)
                .message("there is no secret '" + ref.name() + "'")
                .build();
    }

    private boolean answers(StaticServer server) {
        return get(server.url(), "/health", Optional.empty())
                .filter(answer -> answer.statusCode() == 200)
                .isPresent();
    }

    private Optional<HttpResponse<String>> get(URI base, String path, Optional<Credential> credential) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(base + path)).timeout(TIMEOUT);
        credential.ifPresent(
                header -> request.header(header.header(), header.value().reveal()));
        try {
            return Optional.of(context.http().send(request.build(), BodyHandlers.ofString()));
        } catch (IOException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
