package dev.tuna.core.replay;

/** A request on its way. Confined to one replay. */
final class Job {

    final long cameAt;
    final int prompt;

    /** Tokens that are still to come. */
    int left;

    /** Tokens that the client has. */
    int done;

    boolean firstSeen;
    boolean over;

    /** When it was let in where it is now. */
    long startedAt;

    /** Attempts that a policy without a waiting room has made. */
    int attempts;

    /** Grows with each start, so that an end that no longer holds is known. */
    int start;

    Job(long cameAt, int prompt, int output) {
        this.cameAt = cameAt;
        this.prompt = prompt;
        this.left = output;
    }

    /** From being let in to the first further token: what the client has already is part of the prompt. */
    long prefillMillis() {
        return Math.round(
                1000 * (Parameters.FIRST_TOKEN_SECONDS + (prompt + done) / Parameters.PROMPT_TOKENS_PER_SECOND));
    }

    long totalMillis() {
        return prefillMillis() + Math.round(1000.0 * left / Parameters.TOKENS_PER_SECOND);
    }
}
