package dev.tuna.router;

import dev.tuna.api.Secret;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Objects;

/**
 * A key that lets requests in, kept as a hash only. Immutable.
 *
 * @param name what people call it, for logs and rotation; no secret
 * @param sha256 SHA-256 of the key's UTF-8 bytes, 64 lower-case hex digits
 */
public record NamedKey(String name, String sha256) {

    /** Checks that both parts are there. */
    public NamedKey {
        Objects.requireNonNull(name, "name");
        if (!sha256.matches("[0-9a-f]{64}")) {
            throw new IllegalArgumentException("the hash of key '" + name + "' is not 64 lower-case hex digits");
        }
    }

    /**
     * Hashes a key.
     *
     * @param name what people call it
     * @param key the key as clients send it
     * @return the named hash
     */
    public static NamedKey of(String name, Secret key) {
        return new NamedKey(name, HexFormat.of().formatHex(hash(key.reveal().getBytes(StandardCharsets.UTF_8))));
    }

    /**
     * Whether a presented key is this one; takes the same time whatever the key.
     *
     * @param presented the bytes that the client sent
     * @return true if it matches
     */
    public boolean matches(byte[] presented) {
        return MessageDigest.isEqual(HexFormat.of().parseHex(sha256), hash(presented));
    }

    private static byte[] hash(byte[] key) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(key);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** The name only. */
    @Override
    public String toString() {
        return "key '" + name + "'";
    }
}
