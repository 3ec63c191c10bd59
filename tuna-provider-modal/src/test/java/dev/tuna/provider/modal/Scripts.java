package dev.tuna.provider.modal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tuna.spi.ServerlessPlan;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a planned script says. */
final class Scripts {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern LITERAL = Pattern.compile("(?m)^PLAN = json\\.loads\\((\".*\")\\)$");

    private Scripts() {}

    static String script(ServerlessPlan plan) {
        return AppPlan.read(plan.body()).script();
    }

    static JsonNode values(ServerlessPlan plan) throws Exception {
        Matcher literal = LITERAL.matcher(script(plan));
        if (!literal.find()) {
            throw new AssertionError("the script has no literal");
        }
        return JSON.readTree(JSON.readValue(literal.group(1), String.class));
    }
}
