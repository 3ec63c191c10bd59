package dev.tuna.spi;

import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;

/**
 * A machine for a router.
 *
 * @param name lower-case letters, digits and hyphens, at most 40; unique among the owner's machines
 * @param jar what it is to run: a {@code file:} to be delivered, or {@code https:} from where it is fetched
 * @param sha256 the jar's checksum, 64 hexadecimal digits
 * @param port where clients connect
 * @param orphanTimeout a machine that looks after nothing and has heard from nobody for this long ends itself
 * @param options the request's for this cloud, over the installation's settings, which the cloud knows: region, machine type, disk ...
 */
public record RouterVmSpec(
        String name, URI jar, String sha256, int port, Duration orphanTimeout, Map<String, String> options) {

    /** Copies the map, and checks the name and the checksum. */
    public RouterVmSpec {
        if (!name.matches("[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")) {
            throw new IllegalArgumentException(
                    "router VM '" + name
                            + "' must be 1 to 40 lower-case letters, digits and hyphens, and neither begin nor end with a hyphen");
        }
        Objects.requireNonNull(jar, "jar");
        if (!sha256.matches("[0-9a-f]{64}")) {
            throw new IllegalArgumentException("checksum '" + sha256 + "' must be 64 lower-case hexadecimal digits");
        }
        Objects.requireNonNull(orphanTimeout, "orphanTimeout");
        options = Map.copyOf(options);
    }
}
