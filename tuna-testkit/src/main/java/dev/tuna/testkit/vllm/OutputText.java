package dev.tuna.testkit.vllm;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/**
 * The text of one choice as it grows: whole characters only, and with stop strings the last characters are held back
 * until they cannot be the beginning of one, as vLLM's detokenizer does. It counts characters as Python does, in code
 * points.
 */
final class OutputText {

    private static final int LONGEST_CHARACTER = 4;

    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private final StringBuilder text = new StringBuilder();
    private final List<String> stops;
    private final boolean includeStop;
    private final int holdBack;
    private byte[] partial = {};
    private int released;

    OutputText(List<String> stops, boolean includeStop) {
        this.stops = stops;
        this.includeStop = includeStop;
        int longest = stops.stream()
                .mapToInt(stop -> stop.codePointCount(0, stop.length()))
                .max()
                .orElse(1);
        holdBack = includeStop ? 0 : longest - 1;
    }

    /** Goes on within a character that the prompt left half said; the whole character is then shown. */
    void primeWith(int[] prompt) {
        for (int i = Math.max(0, prompt.length - LONGEST_CHARACTER); i < prompt.length; i++) {
            decode(StandInTokenizer.piece(prompt[i]), false);
        }
        text.setLength(0);
    }

    /** Adds a token. If the text now contains a stop string, it is cut there and that string is returned. */
    Optional<String> append(int id, boolean mayStop) {
        int before = text.length();
        decode(StandInTokenizer.piece(id), false);
        return mayStop ? cutAtStop(before) : Optional.empty();
    }

    private void decode(byte[] piece, boolean last) {
        ByteBuffer in = ByteBuffer.allocate(partial.length + piece.length);
        in.put(partial).put(piece).flip();
        CharBuffer out = CharBuffer.allocate(in.remaining() + 2);
        decoder.reset();
        decoder.decode(in, out, last);
        text.append(out.flip());
        partial = new byte[in.remaining()];
        in.get(partial);
    }

    private Optional<String> cutAtStop(int before) {
        for (String stop : stops) {
            int at = text.indexOf(stop, Math.max(0, before - stop.length() + 1));
            if (at >= 0) {
                text.setLength(includeStop ? at + stop.length() : at);
                partial = new byte[0];
                return Optional.of(stop);
            }
        }
        return Optional.empty();
    }

    /** What may be shown now and was not before. */
    String release() {
        int length = text.codePointCount(0, text.length());
        return length <= holdBack ? "" : upTo(text.offsetByCodePoints(text.length(), -holdBack));
    }

    /** What is left when no token follows; half a character becomes U+FFFD. */
    String releaseRest() {
        decode(new byte[0], true);
        return upTo(text.length());
    }

    private String upTo(int end) {
        String fresh = text.substring(Math.min(released, end), end);
        released = Math.max(released, end);
        return fresh;
    }
}
