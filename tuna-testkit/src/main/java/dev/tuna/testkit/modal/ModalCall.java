package dev.tuna.testkit.modal;

import java.util.List;
import java.util.Map;

/**
 * A command as it was called. Its environment holds secrets, so no text form shows it.
 *
 * @param program {@code modal} or {@code python}
 * @param words what it was called with, without the program
 * @param environment its whole environment
 * @param script what {@code deploy} was given; else empty
 */
public record ModalCall(String program, List<String> words, Map<String, String> environment, String script) {

    /** Copies collections. */
    public ModalCall {
        words = List.copyOf(words);
        environment = Map.copyOf(environment);
    }

    /**
     * The words, joined by blanks.
     *
     * @return for instance {@code app list --json}
     */
    public String line() {
        return String.join(" ", words);
    }

    String variable(String name) {
        return environment.getOrDefault(name, "");
    }

    @Override
    public String toString() {
        return program + " " + line();
    }
}
