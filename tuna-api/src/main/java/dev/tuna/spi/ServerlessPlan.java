package dev.tuna.spi;

import java.util.List;
import java.util.Objects;

/**
 * Exactly what a serverless cloud would be sent. Text throughout, so that it can be stored, shown and sent again byte
 * by byte after a crash.
 *
 * @param deployment the deployment's name
 * @param resource the main resource that {@code begin} makes; its id is deterministic or a name to look up
 * @param summary one sentence for a person
 * @param body everything the plugin needs to begin, in a form of its own (usually JSON); secrets by reference only
 * @param adaptations defaults that the provider cannot honour and what is used instead, one sentence each
 */
public record ServerlessPlan(
        String deployment, ResourceRef resource, String summary, String body, List<String> adaptations) {

    /** Copies the list. */
    public ServerlessPlan {
        Objects.requireNonNull(deployment, "deployment");
        Objects.requireNonNull(resource, "resource");
        Objects.requireNonNull(summary, "summary");
        Objects.requireNonNull(body, "body");
        adaptations = List.copyOf(adaptations);
    }
}
