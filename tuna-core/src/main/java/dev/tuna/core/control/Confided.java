package dev.tuna.core.control;

import java.util.Map;

/**
 * Secrets that a changed request refers to, on their way to the controller that is to heed it. Immutable.
 *
 * @param secrets by the names they are kept under
 */
public record Confided(Map<String, String> secrets) {

    /** Copies the map. */
    public Confided {
        secrets = Map.copyOf(secrets);
    }

    /** Without what is secret. */
    @Override
    public String toString() {
        return "secrets " + secrets.keySet();
    }
}
