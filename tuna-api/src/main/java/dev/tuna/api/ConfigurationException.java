package dev.tuna.api;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the caller asked for cannot be done as asked; the caller must change it. Never retryable. */
public final class ConfigurationException extends TunaException {

    private final List<String> problems;

    /**
     * One problem.
     *
     * @param code the stable code
     * @param problem the thing at fault, its value, what is allowed, the fix
     */
    public ConfigurationException(ErrorCode code, String problem) {
        this(code, problem, (Throwable) null);
    }

    /**
     * One problem with its cause.
     *
     * @param code the stable code
     * @param problem the thing at fault, its value, what is allowed, the fix
     * @param cause what showed it, or null
     */
    public ConfigurationException(ErrorCode code, String problem, @Nullable Throwable cause) {
        super(code, false, problem, cause);
        this.problems = List.of(problem);
    }

    /**
     * Several problems found in one look, all reported at once.
     *
     * @param code the stable code
     * @param subject what was looked at, for instance {@code deploy request}
     * @param problems one sentence each, at least one
     */
    public ConfigurationException(ErrorCode code, String subject, List<String> problems) {
        super(code, false, subject + ": " + String.join("; ", problems), null);
        this.problems = List.copyOf(problems);
    }

    /**
     * Each problem on its own, for a program that shows them as a list.
     *
     * @return at least one sentence
     */
    public List<String> problems() {
        return problems;
    }
}
