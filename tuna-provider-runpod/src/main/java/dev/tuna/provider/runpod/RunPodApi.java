package dev.tuna.provider.runpod;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.provider.support.JsonApi;
import dev.tuna.provider.support.JsonCall;
import dev.tuna.spi.Credential;
import dev.tuna.spi.ProviderContext;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;

/** RunPod's REST API v2, and the one thing that only its GraphQL API tells. Thread-safe. */
final class RunPodApi {

    /** RunPod's front refuses the default agents of HTTP libraries. */
    private static final String AGENT = "tuna-java/0.1";

    private static final int PAGE = 1000;
    /** More pages than any account has; a cursor that goes in circles ends here. */
    private static final int MOST_PAGES = 100;

    /** For a stream that never ends by itself and may have nothing to say. */
    private static final Duration LOG_PATIENCE = Duration.ofSeconds(3);

    private final ProviderContext context;
    private final RunPodSettings settings;
    private final UnaryOperator<String> environment;
    private final JsonApi api;
    private final Set<Secret> given = ConcurrentHashMap.newKeySet();

    /**
     * @param environment looks up an environment variable; null stands for "not set"
     */
    RunPodApi(ProviderContext context, RunPodSettings settings, UnaryOperator<String> environment) {
        this.context = context;
        this.settings = settings;
        this.environment = environment;
        this.api = JsonApi.builder(RunPodProvider.NAME, settings.apiUrl(), context)
                .errors(new RunPodErrors())
                .build();
    }

    /** The key that manages endpoints, looked up anew, since it may have been changed. */
    Optional<Secret> key() {
        Optional<Secret> stored = context.secrets().get(settings.apiKey());
        return stored.isPresent()
                ? stored
                : Optional.ofNullable(environment.apply(RunPodSettings.KEY_VARIABLE))
                        .filter(key -> !key.isBlank())
                        .map(key -> Secret.of(key.strip()));
    }

    /** What the router sends to endpoints. */
    Credential endpointCredential() {
        Secret key = settings.endpointKey()
                .map(ref -> context.secrets().get(ref).orElseThrow(() -> noKey(ref)))
                .orElseGet(() -> key().orElseThrow(() -> noKey(settings.apiKey())));
        return Credential.bearer(key);
    }

    private ProviderException noKey(SecretRef ref) {
        return ProviderException.of(RunPodProvider.NAME, "look up API key")
                .code(ErrorCode.NOT_CONFIGURED)
                .message("there is no secret '" + ref.name() + "'; put an API key there, or set "
                        + RunPodSettings.KEY_VARIABLE)
                .build();
    }

    /** Remembers secrets that RunPod is given or tells, since it may repeat them in any answer. */
    void remember(Collection<Secret> secrets) {
        given.addAll(secrets);
    }

    /** Everything that must not be shown of what RunPod says. */
    List<Secret> secrets() {
        List<Secret> secrets = new ArrayList<>(given);
        key().ifPresent(secrets::add);
        settings.endpointKey().flatMap(context.secrets()::get).ifPresent(secrets::add);
        return secrets;
    }

    private JsonCall authorized(JsonCall call) {
        return call.redact(secrets())
                .header("User-Agent", AGENT)
                .credential(Credential.bearer(key().orElseThrow(() -> noKey(settings.apiKey()))));
    }

    /** Every endpoint of the account. */
    List<Endpoint> endpoints() {
        List<Endpoint> endpoints = new ArrayList<>();
        String cursor = "";
        for (int page = 0; page < MOST_PAGES; page++) {
            JsonCall call = api.get("list endpoints", "/v2/serverless");
            if (!cursor.isEmpty()) {
                call.query("limit", PAGE).query("cursor", cursor);
            }
            JsonNode answer = authorized(call).send();
            // The first version answered a bare list.
            JsonNode listed = answer.isArray() ? answer : answer.path("endpoints");
            if (!listed.isArray()) {
                throw ProviderException.of(RunPodProvider.NAME, "list endpoints")
                        .message("the answer has no list of endpoints")
                        .build();
            }
            listed.forEach(endpoint -> endpoints.add(read(endpoint)));
            cursor = answer.path("pagination").path("nextCursor").asText("");
            if (!answer.path("pagination").path("hasNextPage").asBoolean() || cursor.isEmpty()) {
                return endpoints;
            }
        }
        throw ProviderException.of(RunPodProvider.NAME, "list endpoints")
                .message("the list did not end after " + MOST_PAGES + " pages")
                .build();
    }

    private Endpoint read(JsonNode json) {
        Endpoint endpoint = Endpoint.of(json);
        remember(endpoint.secrets());
        return endpoint;
    }

    Optional<Endpoint> endpoint(String id) {
        return authorized(api.get("read endpoint", "/v2/serverless/{}", id))
                .sendUnlessMissing()
                .map(this::read);
    }

    /** Not sent twice, since RunPod would make two of one name. */
    Endpoint create(Map<String, Object> request) {
        return read(authorized(api.post("create endpoint", "/v2/serverless"))
                .json(request)
                .send());
    }

    /** Empty if it is gone. */
    Optional<Endpoint> update(String id, Map<String, Object> changes) {
        return authorized(api.patch("update endpoint", "/v2/serverless/{}", id))
                .json(changes)
                .idempotent()
                .sendUnlessMissing()
                .map(this::read);
    }

    /** What does not exist counts as deleted. */
    void delete(String id) {
        authorized(api.delete("delete endpoint", "/v2/serverless/{}", id)).sendUnlessMissing();
    }

    /** Empty if the endpoint is gone. */
    Optional<Workers> workers(String id) {
        return authorized(api.get("list workers", "/v2/serverless/{}/workers", id))
                .sendUnlessMissing()
                .map(Workers::of);
    }

    /** The last lines of a worker as RunPod words them, one JSON object each; empty if the worker is gone. */
    List<String> logs(String id, String worker, int lines) {
        return authorized(api.get("read logs", "/v2/serverless/{}/workers/{}/logs", id, worker)
                        .query("tail", lines)
                        .timeout(LOG_PATIENCE))
                .readEvents();
    }

    GpuCatalog gpus(Instant now) {
        return GpuCatalog.live(
                authorized(api.get("list GPUs", "/v2/catalog/gpus")
                                .query("include", "AVAILABILITY")
                                .query("product", "SERVERLESS"))
                        .send(),
                now);
    }

    /** What the account still has in dollars; empty if RunPod does not tell. */
    Optional<BigDecimal> balance() {
        JsonNode answer = authorized(api.post("read balance", "/graphql"))
                .json(Map.of("query", "query { myself { clientBalance } }"))
                .idempotent()
                .send();
        JsonNode balance = answer.path("data").path("myself").path("clientBalance");
        return balance.isNumber() ? Optional.of(balance.decimalValue()) : Optional.empty();
    }
}
