package dev.tuna.router.proxy;

import dev.tuna.router.http.TokenListener;

/**
 * Compares the prompt's ids that a server says it has read with those that it was given: an old server ignores them
 * without a word and would start the answer again. Confined to an event loop.
 */
final class Echo implements TokenListener {

    private final int[] expected;
    private final boolean needed;
    private final TokenListener answer;
    private int seen;
    private boolean wrong;

    /**
     * Nothing compared yet.
     *
     * @param expected what the server was given; empty if it was given no ids, so that none can be wrong
     * @param needed whether it could have misunderstood
     * @param answer told the ids that it generates
     */
    Echo(int[] expected, boolean needed, TokenListener answer) {
        this.expected = expected;
        this.needed = needed;
        this.answer = answer;
    }

    @Override
    public void prompt(int id) {
        if (expected.length == 0) {
            return;
        }
        wrong |= seen >= expected.length || expected[seen] != id;
        seen++;
    }

    @Override
    public void generated(int id) {
        answer.generated(id);
    }

    boolean hasBegun() {
        return seen > 0;
    }

    boolean isRight() {
        return !wrong && seen == expected.length;
    }

    boolean isNeeded() {
        return needed;
    }
}
