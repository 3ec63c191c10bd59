package dev.tuna.router.http;

import java.nio.charset.StandardCharsets;

/** The beginning of a run of bytes, to be compared with words that are known; a longer run equals none of them. */
final class Word {

    private final byte[] bytes;
    private int length;

    Word(int longest) {
        bytes = new byte[longest];
    }

    void clear() {
        length = 0;
    }

    void add(byte b) {
        if (length < bytes.length) {
            bytes[length] = b;
        }
        length++;
    }

    void add(byte[] run, int from, int to) {
        int room = bytes.length - length;
        if (room > 0) {
            System.arraycopy(run, from, bytes, length, Math.min(room, to - from));
        }
        length += to - from;
    }

    int length() {
        return length;
    }

    /** Whether it is this word, which must be ASCII. */
    boolean is(String word) {
        if (length != word.length() || length > bytes.length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (bytes[i] != word.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** The whole run; what did not fit is missing. */
    String text() {
        return new String(bytes, 0, Math.min(length, bytes.length), StandardCharsets.ISO_8859_1);
    }
}
