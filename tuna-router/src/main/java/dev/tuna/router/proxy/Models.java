package dev.tuna.router.proxy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.tuna.router.http.OpenAiError;
import dev.tuna.router.http.RequestTarget;
import dev.tuna.router.http.RequestTarget.Kind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;

/** {@code GET /v1/models}: what can be asked for, one entry per deployment, whatever its backends call it. */
final class Models {

    private static final JsonFactory JSON = new JsonFactory();

    /** Writes one JSON value. */
    private interface Body {
        void write(JsonGenerator json) throws IOException;
    }

    private Models() {}

    /** The names under which models are listed. */
    static List<String> names(List<RouteRuntime> routes) {
        return routes.stream().map(route -> route.route().models().get(0)).toList();
    }

    static LocalAnswer answer(RequestTarget target, List<RouteRuntime> usable) {
        if (target.kind() == Kind.MODELS) {
            return json(200, json -> list(json, names(usable)));
        }
        String wanted = target.path();
        if (usable.stream().anyMatch(route -> route.route().models().contains(wanted))) {
            return json(200, json -> model(json, wanted));
        }
        OpenAiError unknown = OpenAiError.unknownModel(wanted, names(usable));
        return new LocalAnswer(unknown.status(), "application/json", Map.of(), unknown.json());
    }

    private static void list(JsonGenerator json, List<String> names) throws IOException {
        json.writeStartObject();
        json.writeStringField("object", "list");
        json.writeArrayFieldStart("data");
        for (String name : names) {
            model(json, name);
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void model(JsonGenerator json, String name) throws IOException {
        json.writeStartObject();
        json.writeStringField("id", name);
        json.writeStringField("object", "model");
        json.writeNumberField("created", 0);
        json.writeStringField("owned_by", "tuna");
        json.writeEndObject();
    }

    private static LocalAnswer json(int status, Body body) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            body.write(json);
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return new LocalAnswer(status, "application/json", Map.of(), bytes.toByteArray());
    }
}
