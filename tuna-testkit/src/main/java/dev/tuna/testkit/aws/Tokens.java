package dev.tuna.testkit.aws;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** What was answered to calls with a client token. Confined to the account's lock. */
final class Tokens {

    private static final int LONGEST = 64;

    private final Map<String, Remembered> known = new HashMap<>();

    private record Remembered(Map<String, String> parameters, String made) {}

    /** What was made for the same call before; a call with the token and other parameters is refused. */
    Optional<String> recall(String action, Form form) {
        Optional<String> token = form.text("ClientToken");
        token.filter(given -> given.length() > LONGEST).ifPresent(given -> {
            throw AwsError.invalid("Client token '" + given + "' is longer than " + LONGEST + " characters.");
        });
        return token.map(given -> known.get(action + " " + given)).map(before -> {
            if (!before.parameters().equals(parameters(form))) {
                throw AwsError.bad(
                        "IdempotentParameterMismatch",
                        "The client token you have provided is already associated with a resource that was created with different request parameters.");
            }
            return before.made();
        });
    }

    void remember(String action, Form form, String made) {
        form.text("ClientToken")
                .ifPresent(token -> known.put(action + " " + token, new Remembered(parameters(form), made)));
    }

    private static Map<String, String> parameters(Form form) {
        Map<String, String> parameters = form.flat();
        parameters.remove("ClientToken");
        parameters.remove("DryRun");
        return parameters;
    }
}
