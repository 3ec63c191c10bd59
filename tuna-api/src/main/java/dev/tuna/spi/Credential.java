package dev.tuna.spi;

import dev.tuna.api.Secret;
import java.util.Objects;

/**
 * A header that proves to a backend who is calling.
 *
 * @param header header name, for instance {@code Authorization}
 * @param value the whole header value, for instance {@code Bearer …}
 */
public record Credential(String header, Secret value) {

    /** Checks that both parts are there. */
    public Credential {
        Objects.requireNonNull(header, "header");
        Objects.requireNonNull(value, "value");
    }

    /**
     * {@code Authorization: Bearer token}.
     *
     * @param token the token
     * @return the credential
     */
    public static Credential bearer(Secret token) {
        return new Credential("Authorization", Secret.of("Bearer " + token.reveal()));
    }
}
