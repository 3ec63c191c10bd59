package dev.tuna.provider.modal;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/** Modal's list of apps, asked for once for all deployments. Thread-safe; whoever comes second waits and gets the same list. */
final class AppList {

    /** Of several of one name: what serves, what ends, what begins. */
    private static final Comparator<App> MOST_TELLING_FIRST = Comparator.comparing((App app) -> !app.isDeployed())
            .thenComparing(app -> !app.isStopping())
            .thenComparing(app -> !app.isInitializing())
            .thenComparing(App::id);

    private final ModalApi api;
    private final InstantSource clock;
    private final ReentrantLock lock = new ReentrantLock();

    // Guarded by lock:
    private List<App> last = List.of();
    private Instant at = Instant.MIN;

    AppList(ModalApi api, InstantSource clock) {
        this.api = api;
        this.clock = clock;
    }

    /**
     * Those of a name that are not over, the one that counts first.
     *
     * @param age how old the list may be
     */
    List<App> named(String name, Duration age) {
        return all(age).stream()
                .filter(app -> app.name().equals(name))
                .sorted(MOST_TELLING_FIRST)
                .toList();
    }

    /** Every app that is not over. */
    List<App> all(Duration age) {
        lock.lock();
        try {
            Instant now = clock.instant();
            boolean fresh = at.isAfter(now.minus(age)) && !at.isAfter(now);
            if (!fresh) {
                last = api.apps().stream().filter(app -> !app.isOver()).toList();
                at = now;
            }
            return last;
        } finally {
            lock.unlock();
        }
    }

    /** Makes the next look a new one. */
    void forget() {
        lock.lock();
        try {
            at = Instant.MIN;
        } finally {
            lock.unlock();
        }
    }
}
