package dev.tuna.testkit.vllm;

import java.util.Arrays;

/**
 * The stand-in's model: a pure function from the token ids so far to the next one.
 *
 * <p>Every id of the prefix enters, so a continuation yields the rest of the unbroken text if and only if it was given
 * exactly the prefix. Text is always whole characters, some of which are several tokens. The answer to a chat ends by
 * itself after {@value #SHORTEST_ANSWER} to {@value #LONGEST_ANSWER} tokens, decided by what was asked; a raw prompt is
 * continued for about {@value #RAW_LENGTH} tokens on average.
 *
 * <p>An object is one walk along a text and is confined to one thread; two walks with the same ids give the same tokens.
 */
public final class StandInModel {

    /** The least number of tokens of an answer to a chat, not counting the end token. */
    public static final int SHORTEST_ANSWER = 24;

    /** The greatest number of tokens of an answer to a chat, not counting the end token. */
    public static final int LONGEST_ANSWER = 96;

    /** How many tokens follow a raw prompt on average until the end token. */
    public static final int RAW_LENGTH = 64;

    private static final long GOLDEN = 0x9E3779B97F4A7C15L;
    /** Tokens of "assistant" and the line break after it. */
    private static final int TURN_HEADER = 2;

    private final Utf8Tail tail = new Utf8Tail();
    private long hash;
    /** Tokens since the last turn was opened; below zero while there was none. */
    private int turnTokens = Integer.MIN_VALUE;

    private int turnLength;

    private StandInModel(long salt) {
        hash = mix(salt);
    }

    /**
     * Starts a walk after a prompt.
     *
     * @param prompt ids of the vocabulary of {@link StandInTokenizer}
     * @return the walk, at the end of the prompt
     */
    public static StandInModel after(int... prompt) {
        return after(0, prompt);
    }

    /** A salt other than zero stands for sampling with a seed, or for the second and later of several choices. */
    static StandInModel after(long salt, int... prompt) {
        StandInModel model = new StandInModel(salt);
        for (int id : prompt) {
            model.accept(id);
        }
        return model;
    }

    /**
     * The whole continuation of a prompt.
     *
     * @param atMost the greatest number of tokens wanted
     * @param prompt ids of the prompt
     * @return the generated ids; the last is {@link StandInTokenizer#END} unless the limit came first
     */
    public static int[] answer(int atMost, int... prompt) {
        StandInModel model = after(prompt);
        int[] ids = new int[atMost];
        for (int i = 0; i < atMost; i++) {
            ids[i] = model.next(true);
            if (ids[i] == StandInTokenizer.END) {
                return Arrays.copyOf(ids, i + 1);
            }
        }
        return ids;
    }

    /**
     * Takes one step.
     *
     * @param mayEnd whether the end token is allowed
     * @return the next token, which is part of the prefix from now on
     */
    public int next(boolean mayEnd) {
        long random = mix(hash + GOLDEN);
        int id;
        if (tail.isOpen()) {
            id = StandInTokenizer.FIRST_BYTE + tail.continuation((int) (random >>> 40));
        } else if (mayEnd && ends(random)) {
            id = StandInTokenizer.END;
        } else {
            id = pick(random);
        }
        accept(id);
        return id;
    }

    private boolean ends(long random) {
        return turnTokens >= 0 ? turnTokens >= turnLength + TURN_HEADER : (random >>> 48) % RAW_LENGTH == 0;
    }

    private static int pick(long random) {
        int kind = (int) ((random >>> 8) & 0xFF) * 100 / 256;
        int detail = (int) ((random >>> 24) & 0xFFFFF);
        if (kind < 5) {
            return letter(0xC3);
        } else if (kind < 8) {
            return letter(0xE5 + detail % 4);
        } else if (kind < 10) {
            return letter(0xF0);
        } else if (kind < 18) {
            return letter(".,;\n".charAt(detail % 4));
        }
        int words = StandInTokenizer.VOCABULARY - StandInTokenizer.FIRST_SPACED_WORD;
        return StandInTokenizer.FIRST_SPACED_WORD + detail % words;
    }

    private static int letter(int value) {
        return StandInTokenizer.FIRST_BYTE + value;
    }

    private void accept(int id) {
        hash = mix((hash ^ (id + 1)) * GOLDEN);
        tail.accept(StandInTokenizer.piece(id));
        if (id == StandInTokenizer.TURN) {
            turnTokens = 0;
            turnLength = SHORTEST_ANSWER + (int) ((hash >>> 33) % (LONGEST_ANSWER - SHORTEST_ANSWER + 1));
        } else {
            turnTokens++;
        }
    }

    /** The finalizer of splitmix64. */
    private static long mix(long value) {
        long z = value + GOLDEN;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
