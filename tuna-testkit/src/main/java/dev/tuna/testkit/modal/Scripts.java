package dev.tuna.testkit.modal;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Understands the one kind of script that is deployed here: a fixed text whose values stand in one JSON literal. Pure. */
final class Scripts {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern LITERAL = Pattern.compile("(?m)^PLAN = json\\.loads\\((\".*\")\\)$");
    private static final List<String> NEEDED =
            List.of("import modal", "@app.function(", "@modal.concurrent(", "@modal.web_server(", "def serve(");

    private Scripts() {}

    /** A script that fails when it is imported; the text is the exception's. */
    static final class ScriptError extends Exception {
        private static final long serialVersionUID = 1L;

        ScriptError(String message) {
            super(message);
        }
    }

    /** What the script's literal says. */
    static JsonNode plan(String script) throws ScriptError {
        for (String needed : NEEDED) {
            if (!script.contains(needed)) {
                throw new ScriptError("SyntaxError: the script has no '" + needed + "'");
            }
        }
        Matcher literal = LITERAL.matcher(script);
        if (!literal.find()) {
            throw new ScriptError("NameError: name 'PLAN' is not defined");
        }
        try {
            // A Python string of these characters means what the JSON string means.
            return JSON.readTree(JSON.readValue(literal.group(1), String.class));
        } catch (JacksonException e) {
            throw new ScriptError("JSONDecodeError: Expecting value");
        }
    }
}
