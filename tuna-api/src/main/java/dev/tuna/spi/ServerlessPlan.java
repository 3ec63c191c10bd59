package dev.tuna.spi;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Exactly what a serverless cloud would be sent. Text throughout, so that it can be stored, shown and sent again byte
 * by byte after a crash.
 *
 * @param deployment the deployment's name
 * @param resource the main resource that {@code begin} makes; its id is deterministic or a name to look up
 * @param summary one sentence for a person
 * @param body everything the plugin needs to begin, in a form of its own (usually JSON); secrets by reference only
 * @param adaptations defaults that the provider cannot honour and what is used instead, one sentence each
 * @param idleWindow how long a container that nobody needs stays and is billed, if it is the cloud that decides that and not
 *     the request; where the cloud does not tell container time, the bill reckons with it. At the most, if it varies
 */
public record ServerlessPlan(
        String deployment,
        ResourceRef resource,
        String summary,
        String body,
        List<String> adaptations,
        Optional<Duration> idleWindow) {

    /** Copies the list. */
    public ServerlessPlan {
        Objects.requireNonNull(deployment, "deployment");
        Objects.requireNonNull(resource, "resource");
        Objects.requireNonNull(summary, "summary");
        Objects.requireNonNull(body, "body");
        adaptations = List.copyOf(adaptations);
        Objects.requireNonNull(idleWindow, "idleWindow");
    }

    /**
     * A plan whose containers stay as long as the request says.
     *
     * @param deployment the deployment's name
     * @param resource the main resource that {@code begin} makes
     * @param summary one sentence for a person
     * @param body everything the plugin needs to begin
     * @param adaptations defaults that the provider cannot honour and what is used instead
     */
    public ServerlessPlan(
            String deployment, ResourceRef resource, String summary, String body, List<String> adaptations) {
        this(deployment, resource, summary, body, adaptations, Optional.empty());
    }

    /**
     * The same for a cloud that decides itself how long a container stays that nobody needs.
     *
     * @param window how long, at the most
     * @return a copy
     */
    public ServerlessPlan withIdleWindow(Duration window) {
        return new ServerlessPlan(deployment, resource, summary, body, adaptations, Optional.of(window));
    }
}
