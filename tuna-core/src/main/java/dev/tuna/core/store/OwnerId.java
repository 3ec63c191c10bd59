package dev.tuna.core.store;

import java.util.HexFormat;
import java.util.random.RandomGenerator;

/** Makes the id by which an installation knows what is its own. Pure, given the randomness. */
final class OwnerId {

    private OwnerId() {}

    /** 16 hex digits: safe in every provider's tags and labels, and never met twice. */
    static String random(RandomGenerator random) {
        return HexFormat.of().toHexDigits(random.nextLong());
    }
}
