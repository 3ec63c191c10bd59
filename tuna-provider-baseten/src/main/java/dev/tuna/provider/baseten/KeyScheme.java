package dev.tuna.provider.baseten;

import dev.tuna.api.Secret;
import dev.tuna.spi.Credential;

/** How a key stands in the header {@code Authorization}. Baseten documents both words and has mixed them. */
enum KeyScheme {
    /** The one of the documents since 2026. */
    BEARER("Bearer"),
    /** The one before, which its own command line still sends. */
    API_KEY("Api-Key");

    private final String word;

    KeyScheme(String word) {
        this.word = word;
    }

    Credential credential(Secret key) {
        return new Credential("Authorization", Secret.of(word + " " + key.reveal()));
    }

    KeyScheme other() {
        return this == BEARER ? API_KEY : BEARER;
    }
}
