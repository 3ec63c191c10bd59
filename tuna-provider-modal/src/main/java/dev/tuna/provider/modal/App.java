package dev.tuna.provider.modal;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * An app as Modal lists it.
 *
 * @param id Modal's id, another one each time an app of this name is made anew
 * @param name its name
 * @param state Modal's word for how it is
 * @param containers how many containers run
 * @param createdAt when it was made, if Modal tells
 */
record App(String id, String name, String state, int containers, Optional<Instant> createdAt) {

    App {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(state, "state");
        Objects.requireNonNull(createdAt, "createdAt");
    }

    boolean isDeployed() {
        return state.startsWith("deployed");
    }

    /** Somebody is deploying it for the first time. */
    boolean isInitializing() {
        return state.startsWith("initializing");
    }

    boolean isStopping() {
        return state.startsWith("stopping");
    }

    /** Stopped apps stay in the list for a while. */
    boolean isOver() {
        return state.startsWith("stopped") && containers == 0;
    }

    /** Whether its workspace may not run anything. */
    boolean isDisabled() {
        return state.startsWith("disabled");
    }
}
