package dev.tuna.testkit.vllm;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A reversible tokenizer: common words are one token each, everything else one token per UTF-8 byte.
 *
 * <p>For every text without unpaired surrogates {@code decode(encode(text))} is that text. A character outside ASCII is
 * two to four tokens, so half a character is a thing that happens. Text never yields one of the special tokens,
 * whatever it says. Stateless and thread-safe.
 */
public final class StandInTokenizer {

    /** Ends an answer and every turn of a chat. */
    public static final int END = 0;

    /** Opens a turn of a chat. */
    public static final int TURN = 1;

    /** Stands for an image, a sound or a film in a prompt. */
    public static final int MEDIA = 2;

    static final int FIRST_BYTE = 8;
    static final int FIRST_WORD = FIRST_BYTE + 256;

    /** The roles of the chat template are tokens of their own. */
    private static final List<String> ROLES = List.of("system", "user", "assistant", "tool", "developer");

    /** Each is a token together with the space before it, so that generated text splits back into the same tokens. */
    private static final String[] WORDS = ("the of and to in is that for it as was with be by on not he his but at are"
                    + " this have from or had an they which one you were all her she there would their we him been has"
                    + " when who will no more if out so up said what its about than into them can only other time new"
                    + " some could these two may first then do any like my now over such our man me even most made"
                    + " after also did many off before must well back through years much where your way down should"
                    + " because long each just state those people too mr how little good world make very year still"
                    + " see own work men day get here old between both life being under three never know same last"
                    + " another while us might great go come since against right came take used himself few house"
                    + " water boat river fish school sea tuna net harbour wave light wind sail north south east west"
                    + " morning evening market price machine number answer question model token stream server cloud")
            .split(" ");

    static final int FIRST_SPACED_WORD = FIRST_WORD + ROLES.size();
    static final int VOCABULARY = FIRST_SPACED_WORD + WORDS.length;

    private static final byte[][] PIECES = pieces();
    private static final Map<String, Integer> BY_TEXT = byText();
    private static final int LONGEST =
            Arrays.stream(PIECES).mapToInt(piece -> piece.length).max().orElseThrow();

    private StandInTokenizer() {}

    /**
     * Splits a text, taking the longest word that fits at each place.
     *
     * @param text any text; an unpaired surrogate becomes a question mark
     * @return token ids, empty for an empty text
     */
    public static int[] encode(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int[] ids = new int[bytes.length];
        int count = 0;
        for (int at = 0; at < bytes.length; ) {
            int id = wordAt(bytes, at);
            ids[count++] = id;
            at += PIECES[id].length;
        }
        return Arrays.copyOf(ids, count);
    }

    private static int wordAt(byte[] bytes, int at) {
        if (bytes[at] == ' ' || (bytes[at] >= 'a' && bytes[at] <= 'z')) {
            for (int length = Math.min(LONGEST, bytes.length - at); length > 1; length--) {
                Integer id = BY_TEXT.get(new String(bytes, at, length, StandardCharsets.ISO_8859_1));
                if (id != null) {
                    return id;
                }
            }
        }
        return FIRST_BYTE + (bytes[at] & 0xFF);
    }

    /**
     * Joins tokens to text; special tokens have no text, and bytes that make no character become U+FFFD.
     *
     * @param ids token ids
     * @return the text
     * @throws IllegalArgumentException if an id is outside the vocabulary
     */
    public static String decode(int... ids) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int id : ids) {
            bytes.writeBytes(piece(id));
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /** The bytes of a token, empty for special ones. Not to be written to. */
    static byte[] piece(int id) {
        if (!contains(id)) {
            throw new IllegalArgumentException("token id " + id + " is out of vocabulary: 0 to " + (VOCABULARY - 1));
        }
        return PIECES[id];
    }

    static boolean contains(int id) {
        return id >= 0 && id < VOCABULARY;
    }

    private static byte[][] pieces() {
        byte[][] pieces = new byte[VOCABULARY][];
        Arrays.fill(pieces, new byte[0]);
        for (int value = 0; value < 256; value++) {
            pieces[FIRST_BYTE + value] = new byte[] {(byte) value};
        }
        for (int i = 0; i < ROLES.size(); i++) {
            pieces[FIRST_WORD + i] = ROLES.get(i).getBytes(StandardCharsets.UTF_8);
        }
        for (int i = 0; i < WORDS.length; i++) {
            pieces[FIRST_SPACED_WORD + i] = (" " + WORDS[i]).getBytes(StandardCharsets.UTF_8);
        }
        return pieces;
    }

    private static Map<String, Integer> byText() {
        Map<String, Integer> ids = new HashMap<>();
        for (int id = FIRST_WORD; id < VOCABULARY; id++) {
            ids.put(new String(PIECES[id], StandardCharsets.ISO_8859_1), id);
        }
        return Map.copyOf(ids);
    }
}
