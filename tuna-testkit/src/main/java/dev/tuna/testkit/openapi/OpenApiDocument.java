package dev.tuna.testkit.openapi;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.dialect.Dialect;
import com.networknt.schema.dialect.Dialects;
import com.networknt.schema.keyword.NonValidationKeyword;
import dev.tuna.testkit.vendor.VendorExchange;
import dev.tuna.testkit.vendor.VendorRequest;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * A vendor's OpenAPI 3.1 document, or one of Google's discovery documents, against which exchanges are checked: the path and
 * method exist, the parameters and the
 * request's body are as described, and so are status, type and body of the answer. Thread-safe.
 */
public final class OpenApiDocument {

    private static final ObjectMapper JSON = JsonMapper.builder().build();
    private static final String LOCATION = "https://vendor.example/openapi.json";

    private final JsonNode document;
    private final SchemaRegistry schemas;
    private final Map<Pattern, String> templates = new LinkedHashMap<>();

    private OpenApiDocument(String given) throws IOException {
        JsonNode read = JSON.readTree(given);
        boolean isDiscovery = read.path("kind").asText().equals(DiscoveryDocument.KIND);
        document = isDiscovery ? DiscoveryDocument.toOpenApi(read) : read;
        String text = isDiscovery ? document.toString() : given;
        schemas = SchemaRegistry.withDefaultDialect(
                dialect(document), builder -> builder.schemas(Map.of(LOCATION, text)));
        // Longer templates first: a fixed segment is longer than the place that could stand for it.
        List<String> paths = new ArrayList<>();
        document.path("paths").fieldNames().forEachRemaining(paths::add);
        paths.stream()
                .sorted((one, other) -> Integer.compare(fixed(other), fixed(one)))
                .forEach(path -> templates.put(
                        Pattern.compile("\\Q" + path.replaceAll("\\{[^}]+}", "\\\\E[^/]+\\\\Q") + "\\E"), path));
    }

    /** The document as a whole is no schema, and vendors have keywords of their own; neither is worth a warning. */
    private static Dialect dialect(JsonNode document) {
        Dialect.Builder dialect = Dialect.builder(Dialects.getOpenApi31());
        Set<String> names = new TreeSet<>();
        document.fieldNames().forEachRemaining(names::add);
        extensions(document, names);
        names.forEach(name -> dialect.keyword(new NonValidationKeyword(name)));
        return dialect.build();
    }

    private static void extensions(JsonNode node, Set<String> names) {
        node.fieldNames().forEachRemaining(name -> {
            if (name.startsWith("x-")) {
                names.add(name);
            }
        });
        node.forEach(child -> extensions(child, names));
    }

    private static int fixed(String path) {
        return path.replaceAll("\\{[^}]+}", "").length();
    }

    /**
     * Reads a document.
     *
     * @param file a JSON file
     * @return the document; empty if there is no such file
     * @throws IOException if it cannot be read
     */
    public static Optional<OpenApiDocument> read(Path file) throws IOException {
        return Files.isRegularFile(file) ? Optional.of(new OpenApiDocument(Files.readString(file))) : Optional.empty();
    }

    /**
     * What is wrong with an exchange.
     *
     * @param exchange one that was answered; an answer that a test injected is checked like any other
     * @return one sentence for each violation; never quotes a value
     */
    public List<String> violations(VendorExchange exchange) {
        List<String> found = new ArrayList<>();
        VendorRequest request = exchange.request();
        Optional<String> template = template(request.path());
        String method = request.method().toLowerCase(Locale.ROOT);
        String base = "/paths/" + escape(template.orElse("")) + "/" + method;
        JsonNode operation = document.at(base);
        if (template.isEmpty() || operation.isMissingNode()) {
            return List.of(request + ": the document has no such operation");
        }
        checkQuery(request, template.get(), operation, found);
        checkRequestBody(request, base, operation, found);
        if (exchange.status() != 0) {
            checkAnswer(exchange, base, operation, found);
        }
        return found;
    }

    private Optional<String> template(String path) {
        return templates.entrySet().stream()
                .filter(entry -> entry.getKey().matcher(path).matches())
                .map(Map.Entry::getValue)
                .findFirst();
    }

    private void checkQuery(VendorRequest request, String template, JsonNode operation, List<String> found) {
        Map<String, JsonNode> described = new LinkedHashMap<>();
        for (JsonNode parameters :
                List.of(document.path("paths").path(template).path("parameters"), operation.path("parameters"))) {
            parameters.forEach(parameter -> {
                JsonNode resolved = resolve(parameter);
                if (resolved.path("in").asText().equals("query")) {
                    described.put(resolved.path("name").asText(), resolved);
                }
            });
        }
        Map<String, String> given = query(request.query());
        given.forEach((name, value) -> {
            JsonNode parameter = described.get(name);
            if (parameter == null) {
                found.add(request + ": query parameter '" + name + "' is not described");
            } else {
                check(parameter.path("schema"), typed(parameter.path("schema"), value))
                        .forEach(error -> found.add(request + ": query parameter '" + name + "': " + error));
            }
        });
        described.forEach((name, parameter) -> {
            if (parameter.path("required").asBoolean() && !given.containsKey(name)) {
                found.add(request + ": query parameter '" + name + "' is missing");
            }
        });
    }

    private static Map<String, String> query(String raw) {
        Map<String, String> values = new LinkedHashMap<>();
        Arrays.stream(raw.split("&")).filter(pair -> !pair.isEmpty()).forEach(pair -> {
            String[] parts = pair.split("=", 2);
            values.put(
                    URLDecoder.decode(parts[0], StandardCharsets.UTF_8),
                    parts.length > 1 ? URLDecoder.decode(parts[1], StandardCharsets.UTF_8) : "");
        });
        return values;
    }

    /** A query value has no type of its own. */
    private JsonNode typed(JsonNode schema, String value) {
        String type = type(resolve(schema));
        try {
            return switch (type) {
                case "array" -> {
                    var items = JSON.createArrayNode();
                    Arrays.stream(value.split(",")).forEach(items::add);
                    yield items;
                }
                case "integer", "number", "boolean" -> JSON.readTree(value);
                default -> JSON.getNodeFactory().textNode(value);
            };
        } catch (JacksonException e) {
            return JSON.getNodeFactory().textNode(value);
        }
    }

    /** Of several the first, since null cannot be written into a query. */
    private String type(JsonNode schema) {
        for (JsonNode one : schema.path("anyOf")) {
            String type = type(resolve(one));
            if (!type.equals("null")) {
                return type;
            }
        }
        return schema.path("type").asText();
    }

    private void checkRequestBody(VendorRequest request, String base, JsonNode operation, List<String> found) {
        JsonNode described = resolve(operation.path("requestBody"));
        if (request.body().isEmpty()) {
            if (described.path("required").asBoolean()) {
                found.add(request + ": it must have a body");
            }
        } else if (described.isMissingNode()) {
            found.add(request + ": it must not have a body");
        } else {
            String pointer = pointer(base + "/requestBody", operation.path("requestBody"));
            String type =
                    request.header("Content-Type").orElse("").split(";")[0].strip();
            checkContent(request + ": body", described, pointer, type, request.body(), found);
        }
    }

    private void checkAnswer(VendorExchange exchange, String base, JsonNode operation, List<String> found) {
        JsonNode responses = operation.path("responses");
        String key = responses.has(Integer.toString(exchange.status())) ? "" + exchange.status() : "default";
        if (!responses.has(key)) {
            found.add(exchange + ": the document has no such answer");
            return;
        }
        JsonNode described = resolve(responses.path(key));
        String pointer = pointer(base + "/responses/" + key, responses.path(key));
        if (exchange.body().isEmpty() && exchange.contentType().isEmpty()) {
            if (described.path("content").size() > 0) {
                found.add(exchange + ": the answer must have a body");
            }
        } else {
            String type = exchange.contentType().split(";")[0].strip();
            checkContent(exchange + ": answer", described, pointer, type, exchange.body(), found);
        }
    }

    private void checkContent(
            String what, JsonNode described, String pointer, String type, String body, List<String> found) {
        JsonNode content = described.path("content").path(type);
        if (content.isMissingNode()) {
            found.add(what + " has type '" + type + "', which is not described");
            return;
        }
        String schema = pointer(pointer + "/content/" + escape(type) + "/schema", content.path("schema"));
        if (type.endsWith("json")) {
            at(schema).validate(body, InputFormat.JSON).forEach(error -> found.add(what + ": " + words(error)));
        }
    }

    private List<String> check(JsonNode schema, JsonNode value) {
        return schemas.getSchema(withoutReferences(schema)).validate(value).stream()
                .map(OpenApiDocument::words)
                .toList();
    }

    /** Schemas of parameters are small, and none of them refers to itself. */
    private JsonNode withoutReferences(JsonNode schema) {
        JsonNode copy = resolve(schema).deepCopy();
        if (copy instanceof ObjectNode object) {
            object.properties().forEach(field -> field.setValue(withoutReferences(field.getValue())));
        } else if (copy instanceof ArrayNode array) {
            for (int at = 0; at < array.size(); at++) {
                array.set(at, withoutReferences(array.get(at)));
            }
        }
        return copy;
    }

    /** Where and which rule; the validator's own text may quote the value. */
    private static String words(Error error) {
        return error.getInstanceLocation() + " breaks '" + error.getKeyword() + "' ("
                + error.getSchemaLocation().getFragment() + ")";
    }

    private Schema at(String pointer) {
        return schemas.getSchema(SchemaLocation.of(LOCATION + "#" + pointer));
    }

    private JsonNode resolve(JsonNode node) {
        JsonNode at = node;
        while (at.has("$ref")) {
            at = document.at(at.path("$ref").asText().substring(1));
        }
        return at == null ? MissingNode.getInstance() : at;
    }

    /** Where a node really stands. */
    private static String pointer(String here, JsonNode node) {
        return node.has("$ref") ? node.path("$ref").asText().substring(1) : here;
    }

    private static String escape(String segment) {
        return segment.replace("~", "~0").replace("/", "~1");
    }
}
