package dev.tuna.core.simulation;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import dev.tuna.core.store.InMemoryStateStore;
import dev.tuna.spi.DeploymentRecord;
import dev.tuna.spi.LedgerEntry;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateSnapshot;
import dev.tuna.spi.StateStore;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** One opening of a store: shows what is saved, and refuses while it is told to. */
final class WatchedStore implements StateStore {

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
    public String ownerId() {
        return contents.ownerId();
    }

    @Override
    public StateSnapshot load() {
        return contents.load();
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
    public List<DeploymentRecord> ended(int limit) {
        return contents.ended(limit);
    }

    @Override
    public List<LedgerEntry> ledger(String deploymentId) {
        return contents.ledger(deploymentId);
    }

    @Override
    public void close() {
        contents.close();
    }
}
