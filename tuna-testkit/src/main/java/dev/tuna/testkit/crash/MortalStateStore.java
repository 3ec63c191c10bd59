package dev.tuna.testkit.crash;

import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateStore;

/**
 * A store at whose writes the process can die. Thread-safe.
 *
 * @param store where it writes
 * @param death at which write
 */
public record MortalStateStore(StateStore store, Death death) implements ForwardingStateStore {

    @Override
    public void save(StateChange change) {
        death.write(() -> store.save(change));
    }

    @Override
    public void setSetting(String name, String json) {
        death.write(() -> store.setSetting(name, json));
    }
}
