package dev.tuna.spot.aws.router;

import dev.tuna.api.Secret;
import dev.tuna.spot.aws.channel.UserData;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;

/**
 * What a router's machine must know at its first boot. Immutable.
 *
 * @param name the machine's name
 * @param agentPort where its agent listens for the host
 * @param clientPort where clients connect
 * @param orphanTimeout it ends itself when it has heard from nobody for so long and looks after nothing
 * @param jar where it fetches what it runs; whoever reads it can fetch the same
 * @param sha256 the jar's checksum
 * @param authority certificate of the authority whose controllers its agent lets in, PEM
 * @param token by which it is known until the authority vouches for it
 */
public record RouterBoot(
        String name,
        int agentPort,
        int clientPort,
        Duration orphanTimeout,
        URI jar,
        String sha256,
        String authority,
        Secret token) {

    private static final String SCRIPT = "boot-router.sh";

    /** Checks that every part is there. */
    public RouterBoot {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(orphanTimeout, "orphanTimeout");
        Objects.requireNonNull(jar, "jar");
        Objects.requireNonNull(sha256, "sha256");
        Objects.requireNonNull(authority, "authority");
        Objects.requireNonNull(token, "token");
    }

    /**
     * What the machine runs at its first boot.
     *
     * @return the user data; the only secret in it is the token, which is worth nothing once the machine is enrolled
     */
    public UserData userData() {
        return UserData.of(
                "router " + name,
                Map.of(
                        "boot.sh",
                        UserData.shell(RouterBoot.class, SCRIPT),
                        "ca.pem",
                        authority,
                        "token",
                        token.reveal() + "\n",
                        "settings.sh",
                        settings()));
    }

    private String settings() {
        return "name=" + UserData.quoted(name)
                + "\nport=" + agentPort
                + "\nclient_port=" + clientPort
                + "\norphan_timeout=" + orphanTimeout.toSeconds()
                + "\njar_url=" + UserData.quoted(jar.toString())
                + "\njar_sha256=" + sha256 + "\n";
    }

    /** Without the token, and without the URL, which may be signed. */
    @Override
    public String toString() {
        return "RouterBoot[" + name + "]";
    }
}
