package dev.tuna.core.control;

import dev.tuna.api.Secret;
import dev.tuna.router.NamedKey;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import java.util.List;
import java.util.Optional;

/**
 * The secrets of one deployment, kept apart from its state so that no state ever prints them. Immutable.
 *
 * @param router what clients send; empty with public access
 * @param engine what model servers demand of the router
 * @param traffic what the router knows of the clients' key
 */
record Keys(Optional<Secret> router, Secret engine, List<NamedKey> traffic) {

    static Keys of(Optional<Secret> router, Secret engine) {
        return new Keys(
                router,
                engine,
                router.stream().map(key -> NamedKey.of("default", key)).toList());
    }

    /** A backend whose cloud names no credential of its own is guarded by the engine's key. */
    BackendAddress complete(BackendAddress address) {
        return address.credential().isPresent() ? address : address.withCredential(Credential.bearer(engine));
    }
}
