package dev.tuna.testkit.openapi;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Turns one of Google's discovery documents into an OpenAPI 3.1 document. Every schema is made twice: as requests may use it,
 * without what only the server sets, and as answers do. Google refuses fields that it does not know, so neither may have
 * others. Confined to one conversion.
 */
final class DiscoveryDocument {

    static final String KIND = "discovery#restDescription";

    private static final ObjectMapper JSON = JsonMapper.builder().build();
    private static final String JSON_TYPE = "application/json";
    private static final String REQUEST = ".request";
    private static final String ANSWER = ".answer";

    /** What the formats of Google's own look like (developers.google.com/discovery/v1/type-format). */
    private static final Map<String, String> PATTERNS = Map.of(
            "int64", "^-?\\d{1,19}$",
            "uint64", "^\\d{1,20}$",
            "byte", "^[A-Za-z0-9+/_-]*={0,2}$",
            "google-datetime", "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?(Z|[+-]\\d{2}:\\d{2})$",
            "google-duration", "^-?\\d+(\\.\\d{1,9})?s$",
            "google-fieldmask", "^[A-Za-z][A-Za-z0-9_.]*(,[A-Za-z][A-Za-z0-9_.]*)*$");

    private static final Set<String> COPIED = Set.of("type", "description", "enum", "pattern", "minimum", "maximum");

    private final JsonNode discovery;
    private final ObjectNode document = JSON.createObjectNode();

    private DiscoveryDocument(JsonNode discovery) {
        this.discovery = discovery;
    }

    /**
     * Converts.
     *
     * @param discovery a discovery document
     * @return an OpenAPI document
     */
    static ObjectNode toOpenApi(JsonNode discovery) {
        return new DiscoveryDocument(discovery).convert();
    }

    private ObjectNode convert() {
        document.put("openapi", "3.1.0");
        document.putObject("info")
                .put("title", discovery.path("title").asText())
                .put("version", discovery.path("revision").asText());
        ObjectNode paths = document.putObject("paths");
        methods(discovery, paths);
        ObjectNode schemas = document.putObject("components").putObject("schemas");
        discovery.path("schemas").properties().forEach(schema -> {
            schemas.set(schema.getKey() + REQUEST, schema(schema.getValue(), true));
            schemas.set(schema.getKey() + ANSWER, schema(schema.getValue(), false));
        });
        schemas.set("Error", error());
        return document;
    }

    private void methods(JsonNode resource, ObjectNode paths) {
        resource.path("methods").forEach(method -> add(method, paths));
        resource.path("resources").forEach(child -> methods(child, paths));
    }

    private void add(JsonNode method, ObjectNode paths) {
        String path = method.path(method.has("flatPath") ? "flatPath" : "path").asText();
        String base = discovery.path("servicePath").asText();
        ObjectNode operation = paths.withObject("/" + escape("/" + base + path))
                .putObject(method.path("httpMethod").asText().toLowerCase(Locale.ROOT));
        operation.put("operationId", method.path("id").asText());
        parameters(method, operation);
        if (method.has("request")) {
            ObjectNode body = operation.putObject("requestBody");
            content(body, method.path("request").path("$ref").asText() + REQUEST);
        }
        ObjectNode answers = operation.putObject("responses");
        ObjectNode success = answers.putObject("200").put("description", "done");
        content(success, method.path("response").path("$ref").asText() + ANSWER);
        content(answers.putObject("default").put("description", "an error"), "Error");
    }

    private void parameters(JsonNode method, ObjectNode operation) {
        var parameters = operation.putArray("parameters");
        for (JsonNode described : List.of(discovery.path("parameters"), method.path("parameters"))) {
            described.properties().forEach(field -> {
                JsonNode parameter = field.getValue();
                if (parameter.path("location").asText().equals("query")) {
                    ObjectNode added = parameters.addObject();
                    added.put("name", field.getKey()).put("in", "query");
                    added.put("required", parameter.path("required").asBoolean());
                    // A repeated one is seen as its last value.
                    added.set("schema", schema(parameter, true));
                }
            });
        }
    }

    private static void content(ObjectNode body, String schema) {
        body.putObject("content")
                .putObject(JSON_TYPE)
                .putObject("schema")
                .put("$ref", "#/components/schemas/" + schema);
    }

    private ObjectNode schema(JsonNode described, boolean request) {
        ObjectNode schema = JSON.createObjectNode();
        if (described.has("$ref")) {
            String suffix = request ? REQUEST : ANSWER;
            return schema.put(
                    "$ref", "#/components/schemas/" + described.path("$ref").asText() + suffix);
        }
        if (described.path("type").asText().equals("any")) {
            return schema;
        }
        described.properties().forEach(field -> {
            if (COPIED.contains(field.getKey())) {
                schema.set(field.getKey(), field.getValue());
            }
        });
        String format = described.path("format").asText("");
        String type = described.path("type").asText("");
        if (PATTERNS.containsKey(format)) {
            schema.put("type", "string").put("pattern", PATTERNS.get(format));
        } else if (format.equals("int32")) {
            schema.put("minimum", Integer.MIN_VALUE).put("maximum", Integer.MAX_VALUE);
        }
        if (type.equals("array")) {
            schema.set("items", schema(described.path("items"), request));
        } else if (type.equals("object")) {
            object(described, request, schema);
        }
        return schema;
    }

    private void object(JsonNode described, boolean request, ObjectNode schema) {
        ObjectNode properties = schema.putObject("properties");
        described.path("properties").properties().forEach(field -> {
            if (!request || !field.getValue().path("readOnly").asBoolean()) {
                properties.set(field.getKey(), schema(field.getValue(), request));
            }
        });
        if (described.has("additionalProperties")) {
            schema.set("additionalProperties", schema(described.path("additionalProperties"), request));
        } else {
            schema.put("additionalProperties", false);
        }
    }

    /** What all of Google's APIs answer when they refuse (google.aip.dev/193). */
    private static ObjectNode error() {
        ObjectNode schema = JSON.createObjectNode().put("type", "object");
        schema.putArray("required").add("error");
        ObjectNode error = schema.putObject("properties").putObject("error").put("type", "object");
        error.putArray("required").add("code").add("message").add("status");
        ObjectNode fields = error.putObject("properties");
        fields.putObject("code").put("type", "integer");
        fields.putObject("message").put("type", "string");
        fields.putObject("status").put("type", "string").put("pattern", "^[A-Z_]+$");
        fields.putObject("details").put("type", "array").putObject("items").put("type", "object");
        return schema;
    }

    private static String escape(String segment) {
        return segment.replace("~", "~0").replace("/", "~1");
    }
}
