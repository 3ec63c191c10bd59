package dev.tuna.provider.modal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * The Python file that is deployed. It is the same for everything but for one literal, which holds all that differs as
 * JSON: no value is ever pasted into Python or into a shell.
 */
final class AppScript {

    /** The function that serves, in the template and in web addresses. */
    static final String FUNCTION = "serve";

    private static final String TEMPLATE = "app.py";
    private static final String HOLE = "\"@PLAN@\"";

    /** Nothing but ASCII, so that a JSON string of JSON text is a Python literal with the same meaning. */
    private static final JsonMapper JSON =
            JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

    private AppScript() {}

    static String render(ObjectNode plan) {
        try {
            return template().replace(HOLE, JSON.writeValueAsString(JSON.writeValueAsString(plan)));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a plan that is made of JSON cannot be written", e);
        }
    }

    private static String template() {
        try (InputStream in = AppScript.class.getResourceAsStream(TEMPLATE)) {
            if (in == null) {
                throw new IllegalStateException(TEMPLATE + " is not beside " + AppScript.class.getName());
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(TEMPLATE + " cannot be read", e);
        }
    }
}
