package dev.tuna.testkit.aws;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/**
 * A part of a list.
 *
 * @param <T> of what
 * @param items what is in it
 * @param next how to ask for the next part; empty for the last one
 */
record Page<T>(List<T> items, Optional<String> next) {

    /**
     * Cuts a page out of a list.
     *
     * @param all the whole list
     * @param token of the page before
     * @param most how many there may be
     * @param refuse for a token that was never given
     */
    static <T> Page<T> of(List<T> all, Optional<String> token, int most, AwsError refuse) {
        int from = token.map(given -> position(given, refuse)).orElse(0);
        int to = Math.min(all.size(), Math.max(from, from + most));
        if (from > all.size()) {
            return new Page<>(List.of(), Optional.empty());
        }
        return new Page<>(
                List.copyOf(all.subList(from, to)), to < all.size() ? Optional.of(token(to)) : Optional.empty());
    }

    private static String token(int position) {
        return Base64.getEncoder().encodeToString(("after " + position).getBytes(StandardCharsets.US_ASCII));
    }

    private static int position(String token, AwsError refuse) {
        try {
            return Integer.parseInt(new String(Base64.getDecoder().decode(token), StandardCharsets.US_ASCII)
                    .substring("after ".length()));
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            throw refuse;
        }
    }
}
