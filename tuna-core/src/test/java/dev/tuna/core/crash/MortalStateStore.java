package dev.tuna.core.crash;

import dev.tuna.core.store.ForwardingStateStore;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateStore;

/** A store at whose writes the process can die. Thread-safe. */
record MortalStateStore(StateStore store, Death death) implements ForwardingStateStore {

    @Override
    public void save(StateChange change) {
        death.write(() -> store.save(change));
    }
}
