package dev.tuna.core.provider;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.spi.DeploymentRecord;
import dev.tuna.spi.Journal;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateSnapshot;
import dev.tuna.spi.StateStore;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One provider's journal, kept in the state store as resource records without a tier. The store stays the only truth, so
 * that what others note there (a helper found gone, say) is seen at once. Thread-safe.
 */
final class StoreJournal implements Journal {

    private final String provider;
    private final StateStore store;
    private final InstantSource clock;
    private final ReentrantLock lock = new ReentrantLock(); // makes looking and storing one step

    StoreJournal(String provider, StateStore store, InstantSource clock) {
        this.provider = provider;
        this.store = store;
        this.clock = clock;
    }

    @Override
    public void intend(String deployment, ResourceRef resource, String body) {
        checkProvider(resource);
        lock.lock();
        try {
            StateSnapshot snapshot = store.load();
            String deploymentId = deploymentId(snapshot, deployment)
                    .orElseThrow(() -> new ConfigurationException(
                            ErrorCode.NO_SUCH_DEPLOYMENT,
                            "cannot declare " + resource + ": no live deployment is named '" + deployment + "'"));
            String key = key(deploymentId, resource);
            Optional<ResourceRecord> known = snapshot.resources().stream()
                    .filter(record -> record.key().equals(key))
                    .findFirst();
            Instant now = clock.instant();
            store.save(StateChange.of(new ResourceRecord(
                    key,
                    deploymentId,
                    provider,
                    Optional.empty(),
                    ResourceRecord.State.INTENDED,
                    Optional.of(resource),
                    body,
                    known.map(ResourceRecord::details).orElse("{}"),
                    known.map(ResourceRecord::createdAt).orElse(now),
                    now)));
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void gone(ResourceRef resource) {
        checkProvider(resource);
        lock.lock();
        try {
            List<ResourceRecord> ended = store.load().resources().stream()
                    .filter(this::isMine)
                    .filter(record -> record.resource().equals(Optional.of(resource)))
                    .map(record -> record.in(ResourceRecord.State.GONE, clock.instant()))
                    .toList();
            if (!ended.isEmpty()) {
                store.save(new StateChange(List.of(), ended, List.of()));
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public List<ResourceRef> open(String deployment) {
        StateSnapshot snapshot = store.load();
        Optional<String> id = deploymentId(snapshot, deployment);
        return snapshot.resources().stream()
                .filter(this::isMine)
                .filter(record -> id.equals(Optional.of(record.deploymentId())))
                .flatMap(record -> record.resource().stream())
                .toList();
    }

    /** The same for the same resource of the same deployment, so that declaring it twice keeps one record. */
    static String key(String deploymentId, ResourceRef resource) {
        // The kind is in the provider's words and must not be able to run into the id.
        String kind = resource.kind().replace("%", "%25").replace("/", "%2F");
        return deploymentId + "/" + resource.provider() + "/" + kind + "/" + resource.id();
    }

    private boolean isMine(ResourceRecord record) {
        return record.tier().isEmpty() && record.provider().equals(provider);
    }

    private void checkProvider(ResourceRef resource) {
        if (!resource.provider().equals(provider)) {
            throw new IllegalArgumentException(
                    resource + " is not a resource of '" + provider + "', whose journal this is");
        }
    }

    /** Machines of routers have journals too; they are stored as resources of nobody but themselves, under that name. */
    private static Optional<String> deploymentId(StateSnapshot snapshot, String name) {
        Optional<String> deployment = snapshot.deployments().stream()
                .filter(record -> record.name().equals(name))
                .map(DeploymentRecord::id)
                .findFirst();
        return deployment.or(() -> snapshot.resources().stream()
                .filter(record -> record.key().equals(name))
                .map(ResourceRecord::deploymentId)
                .findFirst());
    }
}
