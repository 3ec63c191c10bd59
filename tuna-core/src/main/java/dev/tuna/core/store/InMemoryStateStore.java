package dev.tuna.core.store;

import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import dev.tuna.spi.DeploymentRecord;
import dev.tuna.spi.LedgerEntry;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateSnapshot;
import dev.tuna.spi.StateStore;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Keeps state in memory, for tests and for deployments that need not outlive the process: what runs outside is then not
 * known to the next start. Thread-safe.
 */
public final class InMemoryStateStore implements StateStore {

    private final Contents contents;
    private boolean closed; // guarded by contents.lock

    private InMemoryStateStore(Contents contents) {
        this.contents = contents;
        contents.taken = true;
    }

    /**
     * An empty store.
     *
     * @param ownerId the installation's id: lower-case letters and digits, at most 32
     */
    public InMemoryStateStore(String ownerId) {
        this(new Contents(Objects.requireNonNull(ownerId, "ownerId")));
    }

    /**
     * Opens the same contents again, as a new process opens a file after the old one is gone.
     *
     * @return another store with what this one has
     * @throws StoreException {@code STORE_LOCKED} if this one or another one opened from it is still open
     */
    public InMemoryStateStore reopen() {
        contents.lock.lock();
        try {
            if (contents.taken) {
                throw new StoreException(
                        ErrorCode.STORE_LOCKED, "the in-memory store is in use; close it before it is reopened", null);
            }
            return new InMemoryStateStore(contents);
        } finally {
            contents.lock.unlock();
        }
    }

    @Override
    public String ownerId() {
        return contents.ownerId;
    }

    @Override
    public StateSnapshot load() {
        return locked(() -> new StateSnapshot(
                contents.deployments.values().stream()
                        .filter(deployment -> !isOver(deployment))
                        .toList(),
                contents.resources.values().stream()
                        .filter(resource -> resource.state() != ResourceRecord.State.GONE)
                        .toList()));
    }

    @Override
    public void save(StateChange change) {
        locked(() -> {
            change.deployments().forEach(record -> contents.deployments.put(record.id(), record));
            change.resources().forEach(record -> contents.resources.put(record.key(), record));
            contents.ledger.addAll(change.ledger());
            return change;
        });
    }

    @Override
    public List<DeploymentRecord> ended(int limit) {
        return locked(() -> {
            var ended = new ArrayList<>(contents.deployments.values().stream()
                    .filter(InMemoryStateStore::isOver)
                    .sorted(Comparator.comparing(DeploymentRecord::updatedAt))
                    .toList());
            Collections.reverse(ended);
            return List.copyOf(ended.subList(0, Math.min(limit, ended.size())));
        });
    }

    @Override
    public List<LedgerEntry> ledger(String deploymentId) {
        return locked(() -> contents.ledger.stream()
                .filter(entry -> entry.deploymentId().equals(deploymentId))
                .toList());
    }

    @Override
    public Optional<String> setting(String name) {
        return locked(() -> Optional.ofNullable(contents.settings.get(name)));
    }

    @Override
    public void setSetting(String name, String json) {
        locked(() -> contents.settings.put(Objects.requireNonNull(name, "name"), Objects.requireNonNull(json, "json")));
    }

    @Override
    public void close() {
        contents.lock.lock();
        try {
            if (!closed) {
                closed = true;
                contents.taken = false;
            }
        } finally {
            contents.lock.unlock();
        }
    }

    private static boolean isOver(DeploymentRecord deployment) {
        return deployment.phase() == DeploymentPhase.DESTROYED || deployment.phase() == DeploymentPhase.FAILED;
    }

    private <T> T locked(Supplier<T> work) {
        contents.lock.lock();
        try {
            if (closed) {
                throw StoreErrors.closed("the in-memory store");
            }
            return work.get();
        } finally {
            contents.lock.unlock();
        }
    }

    /** What outlives one opening; everything but the id is guarded by the lock. */
    private static final class Contents {
        final ReentrantLock lock = new ReentrantLock();
        final String ownerId;
        final Map<String, DeploymentRecord> deployments = new LinkedHashMap<>();
        final Map<String, ResourceRecord> resources = new LinkedHashMap<>();
        final List<LedgerEntry> ledger = new ArrayList<>();
        final Map<String, String> settings = new LinkedHashMap<>();
        boolean taken;

        Contents(String ownerId) {
            this.ownerId = ownerId;
        }
    }
}
