package dev.tuna.spot.aws.channel;

import dev.tuna.api.Secret;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What a machine must know to become a replica. Immutable; its text form shows no secret.
 *
 * @param replica as in {@link DeploymentTrust#name}
 * @param port the one port that it opens, 1 to 65535
 * @param orphanTimeout it ends itself when no controller has spoken to it for this long
 * @param image container image with the engine
 * @param arguments what follows {@code vllm serve}; the engine must listen on every interface of its container at port 8000
 * @param modelCache where weights are looked for first, as {@code s3://bucket/prefix}: laid out like a Hugging Face hub cache
 * @param authority from {@link DeploymentTrust#certificate}
 * @param token from {@link DeploymentTrust#token}
 */
public record ReplicaBoot(
        String replica,
        int port,
        Duration orphanTimeout,
        String image,
        List<String> arguments,
        Optional<String> modelCache,
        String authority,
        Secret token) {

    /** Checks the parts and copies the list. */
    public ReplicaBoot {
        DeploymentTrust.name(replica);
        Objects.requireNonNull(image, "image");
        arguments = List.copyOf(arguments);
        Objects.requireNonNull(modelCache, "modelCache");
        Objects.requireNonNull(authority, "authority");
        Objects.requireNonNull(token, "token");
        if (port < 1 || port > 65_535) {
            throw new IllegalArgumentException("port " + port + " must be 1 to 65535");
        }
        if (orphanTimeout.toSeconds() < 1) {
            throw new IllegalArgumentException("orphan time-out " + orphanTimeout + " must be a second or longer");
        }
    }
}
