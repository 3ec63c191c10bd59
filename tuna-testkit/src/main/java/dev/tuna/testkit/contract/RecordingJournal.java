package dev.tuna.testkit.contract;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import dev.tuna.spi.Journal;
import dev.tuna.spi.ResourceRef;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/** A journal in memory that remembers everything it was told and can fail like a full disk. Thread-safe. */
public final class RecordingJournal implements Journal {

    private final ReentrantLock lock = new ReentrantLock();
    /** Guarded by lock. */
    private final List<Intent> intents = new ArrayList<>();
    /** Guarded by lock. */
    private final Map<ResourceRef, String> open = new LinkedHashMap<>();

    private volatile Consumer<ResourceRef> watcher = resource -> {};
    private volatile boolean failing;

    /** An empty journal. */
    public RecordingJournal() {}

    /**
     * A declaration.
     *
     * @param deployment the deployment it is for
     * @param resource what is about to be made
     * @param body the request that will be sent
     */
    public record Intent(String deployment, ResourceRef resource, String body) {}

    @Override
    public void intend(String deployment, ResourceRef resource, String body) {
        if (failing) {
            throw new StoreException(ErrorCode.STORE_UNWRITABLE, "the journal cannot be written: no space left", null);
        }
        boolean first;
        lock.lock();
        try {
            intents.add(new Intent(deployment, resource, body));
            first = open.putIfAbsent(resource, deployment) == null;
        } finally {
            lock.unlock();
        }
        if (first) {
            watcher.accept(resource);
        }
    }

    @Override
    public void gone(ResourceRef resource) {
        lock.lock();
        try {
            open.remove(resource);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public List<ResourceRef> open(String deployment) {
        lock.lock();
        try {
            return open.entrySet().stream()
                    .filter(entry -> entry.getValue().equals(deployment))
                    .map(Map.Entry::getKey)
                    .toList();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Every declaration, repeated ones too.
     *
     * @return a snapshot in the order in which they came
     */
    public List<Intent> intents() {
        lock.lock();
        try {
            return List.copyOf(intents);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Calls back on each new declaration, before the plugin goes on.
     *
     * @param watcher given the resource, in the plugin's thread
     */
    public void watch(Consumer<ResourceRef> watcher) {
        this.watcher = watcher;
    }

    /** From now on refuses every declaration with {@link ErrorCode#STORE_UNWRITABLE}. */
    public void fail() {
        failing = true;
    }
}
