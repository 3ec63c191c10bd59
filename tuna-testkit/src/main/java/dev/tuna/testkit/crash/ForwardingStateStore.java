package dev.tuna.testkit.crash;

import dev.tuna.spi.DeploymentRecord;
import dev.tuna.spi.LedgerEntry;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateSnapshot;
import dev.tuna.spi.StateStore;
import java.util.List;
import java.util.Optional;

/** Another store seen through this one, which says only what it does otherwise. */
public interface ForwardingStateStore extends StateStore {

    /**
     * Does everything that is not overridden.
     *
     * @return the other store
     */
    StateStore store();

    @Override
    default String ownerId() {
        return store().ownerId();
    }

    @Override
    default StateSnapshot load() {
        return store().load();
    }

    @Override
    default void save(StateChange change) {
        store().save(change);
    }

    @Override
    default List<DeploymentRecord> ended(int limit) {
        return store().ended(limit);
    }

    @Override
    default List<LedgerEntry> ledger(String deploymentId) {
        return store().ledger(deploymentId);
    }

    @Override
    default Optional<String> setting(String name) {
        return store().setting(name);
    }

    @Override
    default void setSetting(String name, String json) {
        store().setSetting(name, json);
    }

    @Override
    default void close() {
        store().close();
    }
}
