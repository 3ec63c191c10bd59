package dev.tuna.router.proxy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.tuna.router.Route;
import dev.tuna.router.http.OpenAiError;
import dev.tuna.router.http.RefusedException;
import dev.tuna.router.http.RequestTarget;
import dev.tuna.router.http.RequestTarget.Kind;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;

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
        return routes.stream()
                .map(route -> route.route().models().get(0))
                .filter(name -> !name.equals(Route.ANY_MODEL))
                .toList();
    }

    /**
     * Answers.
     *
     * @param target the list or one model
     * @param usable the routes that the caller may use
     * @return JSON
     * @throws RefusedException if the model is none of theirs
     */
    static String answer(RequestTarget target, List<RouteRuntime> usable) throws RefusedException {
        if (target.kind() == Kind.MODELS) {
            return json(json -> list(json, names(usable)));
        }
        String wanted = target.path();
        if (usable.stream().anyMatch(route -> route.route().models().contains(wanted))) {
            return json(json -> model(json, wanted));
        }
        throw new RefusedException(OpenAiError.unknownModel(wanted, names(usable)));
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

    private static String json(Body body) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text)) {
            body.write(json);
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return text.toString();
    }
}
