package dev.tuna.testkit.vllm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.Secret;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Which path does what. Confined to the event loop. */
final class Routes {

    private interface Route {
        void handle(Exchange exchange) throws ApiError;
    }

    /** What {@code --api-key} guards; everything else stays open. */
    private static final List<String> GUARDED = List.of("/v1", "/v2", "/inference", "/cohere");

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final StandInServer server;
    private final StandInConfig config;
    private final RequestParser parser;
    private final long created = System.currentTimeMillis() / 1000;
    private final Map<String, Map<String, Route>> routes = new HashMap<>();

    Routes(StandInServer server) {
        this.server = server;
        config = server.config();
        parser = new RequestParser(config);
        add("GET", "/health", exchange -> exchange.whole(200, "", new byte[0]));
        add("GET", "/ping", exchange -> exchange.whole(200, "", new byte[0]));
        add("POST", "/ping", exchange -> exchange.whole(200, "", new byte[0]));
        add("GET", "/version", exchange -> answer(exchange, NODES.objectNode().put("version", config.version())));
        add("GET", "/load", exchange -> answer(exchange, NODES.objectNode().put("server_load", load())));
        add("GET", "/metrics", this::metrics);
        add("GET", "/v1/models", this::models);
        add("POST", "/v1/chat/completions", this::chat);
        add("POST", "/v1/completions", this::completion);
        add("POST", "/v1/embeddings", new Embeddings(parser)::handle);
        add("POST", "/tokenize", this::tokenize);
        add("POST", "/detokenize", this::detokenize);
        AdminRoutes admin = new AdminRoutes(server);
        add("GET", "/standin/stats", admin::stats);
        add("POST", "/standin/faults", admin::inject);
        add("DELETE", "/standin/faults", admin::clear);
    }

    private void add(String method, String path, Route route) {
        routes.computeIfAbsent(path, unused -> new HashMap<>()).put(method, route);
    }

    void handle(Exchange exchange) throws ApiError {
        RecordedRequest request = exchange.request();
        if (!authorized(request)) {
            exchange.json(401, Json.bytes(NODES.objectNode().put("error", "Unauthorized")));
            return;
        }
        Map<String, Route> methods = routes.get(request.path());
        if (methods == null) {
            throw ApiError.ofStatus(404, "Not Found");
        }
        Route route = methods.get(request.method());
        if (route == null) {
            throw ApiError.ofStatus(405, "Method Not Allowed");
        }
        if (request.method().equals("POST") && !request.path().equals("/ping")) {
            requireJson(request);
        }
        route.handle(exchange);
    }

    private boolean authorized(RecordedRequest request) {
        if (config.apiKeys().isEmpty() || GUARDED.stream().noneMatch(request.path()::startsWith)) {
            return true;
        }
        Optional<String> given = request.header("Authorization");
        return given.isPresent()
                && config.apiKeys().stream()
                        .map(Secret::reveal)
                        .anyMatch(key -> given.get().equals("Bearer " + key));
    }

    private static void requireJson(RecordedRequest request) throws ApiError {
        String type = request.header("Content-Type").orElse("").split(";")[0].trim();
        if (!type.toLowerCase(Locale.ROOT).equals("application/json")) {
            throw ApiError.badRequest("Unsupported Media Type: Only 'application/json' is allowed");
        }
    }

    static void answer(Exchange exchange, JsonNode node) {
        exchange.json(200, Json.bytes(node));
    }

    private int load() {
        return server.engine().running() + server.engine().waiting();
    }

    private void metrics(Exchange exchange) {
        byte[] text = server.metrics().text(config, server.engine()).getBytes(StandardCharsets.UTF_8);
        exchange.whole(200, "text/plain; version=1.0.0; charset=utf-8", text);
    }

    private void models(Exchange exchange) {
        ObjectNode answer = NODES.objectNode().put("object", "list");
        ArrayNode data = answer.putArray("data");
        for (String name : config.servedNames()) {
            data.addObject()
                    .put("id", name)
                    .put("object", "model")
                    .put("created", created)
                    .put("owned_by", "vllm")
                    .put("root", config.model())
                    .putNull("parent")
                    .put("max_model_len", config.maxModelLen())
                    .putArray("permission");
        }
        answer(exchange, answer);
    }

    private void chat(Exchange exchange) throws ApiError {
        JsonNode body = exchange.body();
        boolean honour = config.honoursPromptTokenIds() && !exchange.suffers(Fault.Kind.IGNORE_PROMPT_TOKEN_IDS);
        GenerationRequest request = parser.chat(body, honour);
        if (exchange.suffers(Fault.Kind.REJECT_PREFILL)
                && body.path("continue_final_message").asBoolean()) {
            throw ApiError.badRequest("continue_final_message is set but the final message does not appear in the chat"
                    + " after applying the chat template!");
        }
        exchange.generate(request, ConnectionHandler.requestId(exchange.request()));
    }

    private void completion(Exchange exchange) throws ApiError {
        GenerationRequest request = parser.completion(exchange.body());
        exchange.generate(request, ConnectionHandler.requestId(exchange.request()));
    }

    private void tokenize(Exchange exchange) throws ApiError {
        Fields fields = new Fields(exchange.body());
        parser.model(fields);
        int[] ids;
        if (fields.has("messages")) {
            boolean continueFinal = fields.flag("continue_final_message", false);
            boolean generationPrompt = fields.flag("add_generation_prompt", true);
            ids = ChatTemplate.render(fields.list("messages"), fields.at("tools"), continueFinal, generationPrompt)
                    .ids();
        } else if (fields.at("prompt").isTextual()) {
            ids = StandInTokenizer.encode(fields.at("prompt").textValue());
        } else {
            throw ApiError.badParameter("prompt", "prompt: a string, or messages, is required");
        }
        exchange.json(200, Json.bytes(json -> {
            json.writeStartObject();
            json.writeNumberField("count", ids.length);
            json.writeNumberField("max_model_len", config.maxModelLen());
            AnswerFormat.writeIds(json, "tokens", ids);
            json.writeNullField("token_strs");
            json.writeEndObject();
        }));
    }

    private void detokenize(Exchange exchange) throws ApiError {
        Fields fields = new Fields(exchange.body());
        parser.model(fields);
        if (!fields.has("tokens")) {
            throw ApiError.badParameter("tokens", "tokens: a list of token ids is required");
        }
        int[] ids = Fields.ids("tokens", fields.list("tokens"));
        answer(exchange, NODES.objectNode().put("prompt", StandInTokenizer.decode(ids)));
    }
}
