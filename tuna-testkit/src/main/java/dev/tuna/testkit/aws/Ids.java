package dev.tuna.testkit.aws;

/** Gives ids as AWS has them: a prefix and 17 hexadecimal digits that look like chance. Confined to the account's lock. */
final class Ids {

    private long given;

    String next(String prefix) {
        return "%s-0%016x".formatted(prefix, mix(++given));
    }

    /** Short ones, as spot requests have. */
    String nextShort(String prefix) {
        return "%s-%08x".formatted(prefix, mix(++given) >>> 32);
    }

    /** The same id for the same thing, over restarts. */
    static String fixed(String prefix, String what) {
        long hash = 7;
        for (int at = 0; at < what.length(); at++) {
            hash = mix(hash + what.charAt(at));
        }
        return "%s-0%016x".formatted(prefix, hash);
    }

    private static long mix(long seed) {
        long z = seed * 0x9e3779b97f4a7c15L;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}
