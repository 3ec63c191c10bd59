package dev.tuna.api;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What a provider's checks found before anything was created.
 *
 * @param provider which provider
 * @param checks each check in the order it was made
 */
public record PreflightReport(String provider, List<Check> checks) {

    /** Copies the list. */
    public PreflightReport {
        Objects.requireNonNull(provider, "provider");
        checks = List.copyOf(checks);
    }

    /**
     * Whether a deployment can go ahead.
     *
     * @return true if every check was made and none failed; warnings do not count
     */
    public boolean passed() {
        return !has(Outcome.FAILED) && !has(Outcome.UNKNOWN);
    }

    /**
     * Whether the same checks may pass later although nobody mends anything.
     *
     * @return true if none failed, but some could not be made
     */
    public boolean retryable() {
        return !has(Outcome.FAILED) && has(Outcome.UNKNOWN);
    }

    private boolean has(Outcome outcome) {
        return checks.stream().anyMatch(check -> check.outcome() == outcome);
    }

    /** How a check ended. */
    public enum Outcome {
        /** As it should be. */
        PASSED,
        /** Was wrong and has been put right by the check itself. */
        FIXED,
        /** Works, but a person should know. */
        WARNING,
        /** Could not be checked: the provider does not answer, or answers with an error that passes. */
        UNKNOWN,
        /** A deployment would fail. */
        FAILED
    }

    /**
     * One check.
     *
     * @param name stable name, lower case with underscores, for instance {@code api_key_valid}
     * @param outcome how it ended
     * @param message what was found, one sentence
     * @param fix one command or URL that mends it; present when it failed and a fix is known
     */
    public record Check(String name, Outcome outcome, String message, Optional<String> fix) {

        /** Checks that every part is there. */
        public Check {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(outcome, "outcome");
            Objects.requireNonNull(message, "message");
            Objects.requireNonNull(fix, "fix");
        }

        /**
         * A check that passed.
         *
         * @param name stable name
         * @param message what was found
         * @return the check
         */
        public static Check passed(String name, String message) {
            return new Check(name, Outcome.PASSED, message, Optional.empty());
        }

        /**
         * A check that passed with something a person should know.
         *
         * @param name stable name
         * @param message what was found
         * @return the check
         */
        public static Check warning(String name, String message) {
            return new Check(name, Outcome.WARNING, message, Optional.empty());
        }

        /**
         * A check that could not be made.
         *
         * @param name stable name
         * @param message what kept it from being made
         * @return the check
         */
        public static Check unknown(String name, String message) {
            return new Check(name, Outcome.UNKNOWN, message, Optional.empty());
        }

        /**
         * A check that failed.
         *
         * @param name stable name
         * @param message what was found
         * @param fix one command or URL that mends it
         * @return the check
         */
        public static Check failed(String name, String message, String fix) {
            return new Check(name, Outcome.FAILED, message, Optional.of(fix));
        }
    }
}
