package dev.tuna.router.proxy;

import dev.tuna.router.http.TokenListener;
import dev.tuna.router.stream.TokenRecorder;

/**
 * Compares the prompt's ids that a server says it has read with those that it was given: an old server ignores them
 * without a word and would start the answer again. Confined to an event loop.
 */
final class Echo implements TokenListener {

    private final TokenRecorder recorder;
    private final int expected;
    private final boolean needed;
    private int seen;
    private boolean wrong;

    /**
     * Nothing compared yet.
     *
     * @param recorder has the ids that the server was given, and is told the ids that it generates
     * @param given whether it was given them; otherwise none can be wrong
     * @param needed whether it could have misunderstood
     */
    Echo(TokenRecorder recorder, boolean given, boolean needed) {
        this.recorder = recorder;
        this.expected = given ? recorder.soFar() : 0;
        this.needed = needed;
    }

    @Override
    public void prompt(int id) {
        if (expected == 0) {
            return;
        }
        wrong |= seen >= expected || recorder.soFar(seen) != id;
        seen++;
    }

    @Override
    public void generated(int id) {
        recorder.generated(id);
    }

    /** How many ids the server was given. */
    int expected() {
        return expected;
    }

    boolean hasBegun() {
        return seen > 0;
    }

    boolean isRight() {
        return !wrong && seen == expected;
    }

    boolean isNeeded() {
        return needed;
    }
}
