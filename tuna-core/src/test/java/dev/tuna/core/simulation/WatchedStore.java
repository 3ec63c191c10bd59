package dev.tuna.core.simulation;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import dev.tuna.core.store.InMemoryStateStore;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateStore;
import dev.tuna.testkit.crash.ForwardingStateStore;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** One opening of a store: shows what is saved, and refuses while it is told to. */
final class WatchedStore implements ForwardingStateStore {

    private final InMemoryStateStore contents;
    private final BooleanSupplier broken;
    private final Consumer<StateChange> saved;

    WatchedStore(InMemoryStateStore contents, BooleanSupplier broken, Consumer<StateChange> saved) {
        this.contents = contents;
        this.broken = broken;
        this.saved = saved;
    }

    /** For the next process. */
    WatchedStore reopen() {
        return new WatchedStore(contents.reopen(), broken, saved);
    }

    @Override
    public StateStore store() {
        return contents;
    }

    @Override
    public void save(StateChange change) {
        if (broken.getAsBoolean()) {
            throw new StoreException(ErrorCode.STORE_UNWRITABLE, "the disk is full, as scripted", null);
        }
        contents.save(change);
        saved.accept(change);
    }

    @Override
    public void setSetting(String name, String json) {
        if (broken.getAsBoolean()) {
            throw new StoreException(ErrorCode.STORE_UNWRITABLE, "the disk is full, as scripted", null);
        }
        contents.setSetting(name, json);
    }
}
