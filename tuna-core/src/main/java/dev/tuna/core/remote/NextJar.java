package dev.tuna.core.remote;

import java.net.URI;

/**
 * What a router's machine is to run next. Immutable.
 *
 * @param jar from where it is fetched
 * @param sha256 its checksum, 64 lower-case hexadecimal digits
 */
public record NextJar(URI jar, String sha256) {

    /** Checks the checksum. */
    public NextJar {
        if (!sha256.matches("[0-9a-f]{64}")) {
            throw new IllegalArgumentException("checksum '" + sha256 + "' must be 64 lower-case hexadecimal digits");
        }
    }
}
