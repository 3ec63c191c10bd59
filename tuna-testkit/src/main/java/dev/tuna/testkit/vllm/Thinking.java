package dev.tuna.testkit.vllm;

/**
 * Where a reasoning model's thinking ends, decided by the tokens alone, as vLLM's reasoning parsers do it: a server that
 * goes on with somebody else's answer knows whether that had come to its point.
 */
final class Thinking {

    private Thinking() {}

    /** A full stop or a semicolon is the end of a thought. */
    static boolean ends(int id) {
        return id == StandInTokenizer.FIRST_BYTE + '.' || id == StandInTokenizer.FIRST_BYTE + ';';
    }

    /** Whether a prompt ends in a turn that has been thought through. */
    static boolean isOver(int[] prompt) {
        for (int i = prompt.length - 1; i >= 0 && prompt[i] != StandInTokenizer.TURN; i--) {
            if (ends(prompt[i])) {
                return true;
            }
        }
        return false;
    }
}
