package dev.tuna.testkit.runpod;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.Secret;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorRequest;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** RunPod's three hosts on one port, as a function from request to answer. Thread-safe. */
final class RunPodRoutes {

    static final ObjectMapper JSON = JsonMapper.builder().build();

    private static final String SERVERLESS = "/v2/serverless";
    private static final String BALANCED = "/lb/";
    private static final Duration QUEUE_PATIENCE = Duration.ofMinutes(10);
    private static final Set<String> FIELDS = Set.of(
            "name",
            "type",
            "image",
            "args",
            "disk",
            "env",
            "ports",
            "registry",
            "templateId",
            "gpu",
            "cpu",
            "workers",
            "scaling",
            "dataCenterIds",
            "networkVolumes",
            "timeout",
            "flashboot");

    private static final int MOST_TAIL = 5000;

    private final Account account;

    RunPodRoutes(Account account) {
        this.account = account;
    }

    VendorAnswer handle(VendorRequest request) {
        try {
            checkKey(request);
            if (request.path().startsWith(BALANCED)) {
                return balanced(request);
            }
            VendorAnswer answer = route(request);
            return answer.relay().isPresent()
                    ? answer
                    : answer.with("RateLimit", "\"user\";r=170;t=12").with("RateLimit-Policy", "\"user\";q=180;w=60");
        } catch (Refusal e) {
            return e.answer();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Refusal(503, "Service Unavailable", "shutting down").answer();
        }
    }

    private void checkKey(VendorRequest request) {
        String token = request.bearer().orElseThrow(() -> new Refusal(401, "Unauthorized", "missing bearer token"));
        if (token.isEmpty() || !Secret.of(token).equals(account.key())) {
            throw new Refusal(401, "Unauthorized", "invalid bearer token");
        }
        // RunPod's front page refuses the agents that HTTP libraries send by themselves.
        if (request.path().equals("/graphql")
                && request.header("User-Agent").orElse("").startsWith("Java-http-client")) {
            throw new Refusal(403, "Forbidden", "error code: 1010");
        }
    }

    private VendorAnswer route(VendorRequest request) throws InterruptedException {
        String path = request.path();
        String[] parts = path.split("/");
        return switch (request.method() + " " + path) {
            case "GET " + SERVERLESS -> list(request);
            case "POST " + SERVERLESS -> create(body(request));
            case "GET /v2/catalog/gpus" -> catalog(request);
            case "POST /graphql" -> balance();
            default -> {
                if (path.startsWith(SERVERLESS + "/") && parts.length == 4) {
                    yield one(request, parts[3]);
                }
                if (path.startsWith(SERVERLESS + "/") && parts.length == 5 && parts[4].equals("workers")) {
                    yield VendorAnswer.json(
                            200, endpoint(parts[3]).workersJson().toString());
                }
                if (path.startsWith(SERVERLESS + "/") && parts.length == 7 && parts[6].equals("logs")) {
                    yield log(request, endpoint(parts[3]), parts[5]);
                }
                if (path.startsWith("/v2/") && parts.length > 4 && parts[3].equals("openai")) {
                    yield queued(request, endpoint(parts[2]));
                }
                throw Refusal.notFound("resource");
            }
        };
    }

    private StandInEndpoint endpoint(String id) {
        return account.endpoint(id).orElseThrow(() -> Refusal.notFound("endpoint"));
    }

    private VendorAnswer list(VendorRequest request) {
        List<StandInEndpoint> all = account.endpoints();
        int from = request.parameter("cursor").map(Integer::parseInt).orElse(0);
        int to = Math.min(all.size(), from + account.pageSize());
        ObjectNode json = JSON.createObjectNode();
        ArrayNode endpoints = json.putArray("endpoints");
        all.subList(from, to).forEach(endpoint -> endpoints.add(endpoint.json()));
        if (all.size() > account.pageSize()) {
            json.putObject("pagination")
                    .put("hasNextPage", to < all.size())
                    .put("nextCursor", to < all.size() ? Integer.toString(to) : "");
        }
        return VendorAnswer.json(200, json.toString());
    }

    private VendorAnswer one(VendorRequest request, String id) {
        StandInEndpoint endpoint = endpoint(id);
        switch (request.method()) {
            case "GET" -> {
                return VendorAnswer.json(200, endpoint.json().toString());
            }
            case "PATCH" -> {
                ObjectNode changes = body(request);
                if (changes.has("type")) {
                    throw Refusal.invalid("$: additional properties 'type' not allowed");
                }
                check(changes, endpoint.isQueue());
                checkQuota(changes, id);
                endpoint.update(changes);
                return VendorAnswer.json(200, endpoint.json().toString());
            }
            case "DELETE" -> {
                account.delete(id);
                return VendorAnswer.empty(204);
            }
            default -> throw new Refusal(405, "Method Not Allowed", "method not allowed");
        }
    }

    private static VendorAnswer log(VendorRequest request, StandInEndpoint endpoint, String worker) {
        int tail = request.parameter("tail").map(Integer::parseInt).orElse(100);
        if (tail < 0 || tail > MOST_TAIL) {
            throw Refusal.invalid("tail: must be 0 to 5000");
        }
        return endpoint.log(worker, tail, request.parameter("source").orElse(""))
                .map(events -> VendorAnswer.of(200, "text/event-stream", events).with("Cache-Control", "no-cache"))
                .orElseThrow(() -> Refusal.notFound("worker"));
    }

    private VendorAnswer create(ObjectNode settings) {
        List<String> missing = new ArrayList<>();
        for (String field : List.of("name", "type", "scaling", "image")) {
            if (!settings.hasNonNull(field)) {
                missing.add("$: missing property '" + field + "'");
            }
        }
        if (!missing.isEmpty()) {
            throw Refusal.invalid(missing.toArray(String[]::new));
        }
        if (settings.has("gpu") == settings.has("cpu")) {
            throw Refusal.bad("exactly one of gpu and cpu is required");
        }
        check(settings, settings.path("type").asText().equals("QUEUE"));
        if (!settings.has("workers")) {
            settings.putObject("workers").put("min", 0).put("max", 3).put("idleTimeout", 10);
        }
        checkQuota(settings, "");
        return VendorAnswer.json(201, account.create(settings).json().toString());
    }

    private static void check(ObjectNode settings, boolean queue) {
        settings.fieldNames().forEachRemaining(field -> {
            if (!FIELDS.contains(field)) {
                throw Refusal.invalid("$: additional properties '" + field + "' not allowed");
            }
        });
        boolean byDelay = settings.path("scaling").path("type").asText().equals("QUEUE_DELAY");
        if (!queue && byDelay) {
            throw Refusal.invalid("$.scaling.type: must be REQUEST_COUNT");
        }
        settings.path("env").forEach(value -> {
            if (!value.isTextual()) {
                throw Refusal.invalid("$.env: values must be strings");
            }
        });
        JsonNode gpu = settings.path("gpu");
        if (gpu.has("minCudaVersion") && gpu.path("allowedCudaVersions").size() > 0) {
            throw Refusal.bad("minCudaVersion and allowedCudaVersions exclude each other");
        }
        Gpus.check(texts(gpu.path("pools")), texts(gpu.path("excludedTypes")));
    }

    private void checkQuota(ObjectNode settings, String id) {
        int max = settings.path("workers").path("max").asInt();
        if (!account.hasRoomFor(max, id)) {
            throw Refusal.bad("Max workers across all endpoints must not exceed your workers quota ("
                    + account.workerQuota() + ").");
        }
    }

    private static List<String> texts(JsonNode list) {
        List<String> texts = new ArrayList<>();
        list.forEach(text -> texts.add(text.asText()));
        return texts;
    }

    private static VendorAnswer catalog(VendorRequest request) {
        boolean available = request.parameter("include").isPresent();
        if (available != request.parameter("product").isPresent()) {
            throw Refusal.bad("include=AVAILABILITY and product go together");
        }
        return VendorAnswer.json(200, Gpus.catalog(available).toString());
    }

    private VendorAnswer balance() {
        ObjectNode json = JSON.createObjectNode();
        json.putObject("data").putObject("myself").put("clientBalance", account.balance());
        return VendorAnswer.json(200, json.toString());
    }

    private static ObjectNode body(VendorRequest request) {
        try {
            if (JSON.readTree(request.body()) instanceof ObjectNode object) {
                return object;
            }
        } catch (JacksonException e) {
            // Told below.
        }
        throw Refusal.bad("the body is not a JSON object");
    }

    // --- requests to workers ---

    /** Held for a while, and then refused with a status that is none of the client's making. */
    private VendorAnswer balanced(VendorRequest request) throws InterruptedException {
        String rest = request.path().substring(BALANCED.length());
        int slash = rest.indexOf('/');
        StandInEndpoint endpoint = endpoint(slash < 0 ? rest : rest.substring(0, slash));
        if (endpoint.isQueue()) {
            return VendorAnswer.json(400, "{\"error\":\"not allowed for QB API\"}");
        }
        return endpoint.lease(account.coldLimit())
                .map(lease -> relayed(lease, slash < 0 ? "/" : rest.substring(slash), request))
                .orElseGet(() -> VendorAnswer.of(400, "text/plain", "timed out waiting for worker"));
    }

    private VendorAnswer queued(VendorRequest request, StandInEndpoint endpoint) throws InterruptedException {
        String path = request.path().substring(request.path().indexOf("/openai") + "/openai".length());
        return endpoint.lease(QUEUE_PATIENCE)
                .map(lease -> relayed(lease, path, request))
                .orElseGet(() -> workerError("vLLM cannot start on this configuration"));
    }

    private static VendorAnswer workerError(String message) {
        ObjectNode json = JSON.createObjectNode();
        json.putObject("error")
                .put("message", message)
                .put("type", "worker_error")
                .put("code", 500);
        return VendorAnswer.json(200, json.toString());
    }

    private static VendorAnswer relayed(StandInEndpoint.Lease lease, String path, VendorRequest request) {
        String query = request.query().isEmpty() ? "" : "?" + request.query();
        return VendorAnswer.relayed(URI.create(lease.server() + path + query))
                .with("X-Runpod-Worker-Id", lease.worker())
                .whenOver(lease.release());
    }
}
