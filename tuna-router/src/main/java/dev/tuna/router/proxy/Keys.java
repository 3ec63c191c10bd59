package dev.tuna.router.proxy;

import dev.tuna.router.NamedKey;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The keys of a route, ready to be compared: in constant time, and hashing what a client sent only once. Immutable. */
final class Keys {

    private static final String BEARER = "bearer ";

    private final List<byte[]> hashes;

    Keys(List<NamedKey> keys) {
        hashes = keys.stream().map(key -> HexFormat.of().parseHex(key.sha256())).toList();
    }

    /** Whether one of the keys has this hash; looks at all of them, whichever it is. */
    boolean accept(byte @Nullable [] presented) {
        boolean accepted = false;
        if (presented != null) {
            for (byte[] hash : hashes) {
                accepted |= MessageDigest.isEqual(hash, presented);
            }
        }
        return accepted;
    }

    /** The key that a request carries: a bearer token or {@code x-api-key}; null if it has none. */
    static @Nullable String presented(HttpHeaders headers) {
        String authorization = headers.get(HttpHeaderNames.AUTHORIZATION);
        if (authorization != null && authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            return authorization.substring(BEARER.length()).strip();
        }
        return headers.get("x-api-key");
    }

    /** Header values are decoded byte by byte, so this gives back the bytes the client sent. */
    static byte[] hash(String presented) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(presented.getBytes(StandardCharsets.ISO_8859_1));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
