package dev.tuna.core.crash;

import dev.tuna.spi.DeploymentRecord;
import dev.tuna.spi.LedgerEntry;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateSnapshot;
import dev.tuna.spi.StateStore;
import java.util.List;

/** A store at whose writes the process can die. Thread-safe. */
record MortalStateStore(StateStore store, Death death) implements StateStore {

    @Override
    public void save(StateChange change) {
        death.write(() -> store.save(change));
    }

    @Override
    public String ownerId() {
        return store.ownerId();
    }

    @Override
    public StateSnapshot load() {
        return store.load();
    }

    @Override
    public List<DeploymentRecord> ended(int limit) {
        return store.ended(limit);
    }

    @Override
    public List<LedgerEntry> ledger(String deploymentId) {
        return store.ledger(deploymentId);
    }

    @Override
    public void close() {
        store.close();
    }
}
