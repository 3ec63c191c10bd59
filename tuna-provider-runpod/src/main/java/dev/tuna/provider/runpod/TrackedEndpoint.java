package dev.tuna.provider.runpod;

import dev.tuna.api.TunaException;
import dev.tuna.spi.ServerlessObservation;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is known of the endpoint of one name, so that RunPod is asked no more often than its rate limit bears, and so that
 * a wake-up can be told from a first start. Thread-safe; whoever comes second waits and gets the same answer.
 */
final class TrackedEndpoint {

    private static final Logger LOG = LoggerFactory.getLogger(TrackedEndpoint.class);

    /** Settings change by our own hand or after days of idleness. */
    private static final Duration SETTINGS_FRESH = Duration.ofMinutes(1);

    /** RunPod also lowers the limit of endpoints whose workers keep failing; that is not to be fought. */
    private static final Duration BETWEEN_RESTORES = Duration.ofDays(1);

    /** After this long an endpoint that has no worker ready is waking, not starting for the first time. */
    private static final Duration FIRST_START = Duration.ofMinutes(30);

    private final RunPodApi api;
    private final String name;
    private final ReentrantLock lock = new ReentrantLock();

    // All guarded by lock:
    private @Nullable Endpoint endpoint;
    private Instant readAt = Instant.MIN;
    private Instant nextRestore = Instant.MIN;
    private @Nullable Instant brokenSince;
    private boolean served;
    private @Nullable ServerlessObservation last;
    private Instant lastAt = Instant.MIN;

    TrackedEndpoint(RunPodApi api, String name) {
        this.api = api;
        this.name = name;
    }

    /**
     * What a look at the endpoint shows.
     *
     * @param endpoint its settings
     * @param workers its workers
     * @param started whether it has had a worker ready, or may sleep, so that what starts now is a wake-up
     * @param brokenFor how long all its workers have been unhealthy
     */
    record Look(Endpoint endpoint, Workers workers, boolean started, Duration brokenFor) {}

    /**
     * Looks, unless somebody has just done so.
     *
     * @param now the time
     * @param interval how long an observation is used
     * @param words turns a look into an observation
     */
    ServerlessObservation observe(Instant now, Duration interval, Function<Look, ServerlessObservation> words) {
        lock.lock();
        try {
            ServerlessObservation seen = last;
            if (seen == null || !now.isBefore(lastAt.plus(interval))) {
                seen = look(now).map(words).orElseGet(() -> ServerlessObservation.gone(Optional.empty()));
                last = seen;
                lastAt = now;
            }
            return seen;
        } finally {
            lock.unlock();
        }
    }

    private Optional<Look> look(Instant now) {
        Endpoint known = endpoint;
        Optional<Workers> workers = known == null ? Optional.empty() : api.workers(known.id());
        if (workers.isEmpty()) {
            known = named(api.endpoints()).stream().findFirst().orElse(null);
            workers = known == null ? Optional.empty() : api.workers(known.id());
            readAt = now;
        } else if (known != null && !now.isBefore(readAt.plus(SETTINGS_FRESH))) {
            known = api.endpoint(known.id()).orElse(null);
            readAt = now;
        }
        if (known == null || workers.isEmpty()) {
            forget();
            return Optional.empty();
        }
        endpoint = restored(known, now);
        return Optional.of(judge(endpoint, workers.get(), now));
    }

    private Look judge(Endpoint current, Workers workers, Instant now) {
        boolean old = current.createdAt()
                .filter(made -> made.plus(FIRST_START).isBefore(now))
                .isPresent();
        served = served || old || workers.ready() > 0 || workers.total() == 0;
        Instant since = workers.isBroken() ? Optional.ofNullable(brokenSince).orElse(now) : null;
        brokenSince = since;
        return new Look(current, workers, served, since == null ? Duration.ZERO : Duration.between(since, now));
    }

    /** After days without a request RunPod lets an endpoint have fewer workers, and at last none. */
    private Endpoint restored(Endpoint current, Instant now) {
        int wanted = current.workersWanted().orElse(0);
        if (current.isParked() || current.workersMax() >= wanted || now.isBefore(nextRestore)) {
            return current;
        }
        nextRestore = now.plus(SETTINGS_FRESH); // should it fail
        try {
            Map<String, Object> workers = current.workers(current.workersMin(), wanted);
            Endpoint restored =
                    api.update(current.id(), Map.of("workers", workers)).orElse(current);
            nextRestore = now.plus(BETWEEN_RESTORES);
            LOG.info("{}: RunPod had lowered workers.max to {}; set to {} again", name, current.workersMax(), wanted);
            return restored;
        } catch (TunaException e) {
            LOG.warn(
                    "{}: workers.max is {} and cannot be set to {}: {}",
                    name,
                    current.workersMax(),
                    wanted,
                    e.getMessage());
            return current;
        }
    }

    /** Those of this name, the one that counts first. */
    List<Endpoint> named(List<Endpoint> endpoints) {
        return endpoints.stream()
                .filter(each -> each.isNamed(name) && each.isOurs())
                .sorted(Endpoint.OLDEST_FIRST)
                .toList();
    }

    /** Runs alone, and makes everybody look anew afterwards. */
    void change(Runnable change) {
        lock.lock();
        try {
            forget();
            change.run();
        } finally {
            forget();
            lock.unlock();
        }
    }

    private void forget() {
        endpoint = null;
        last = null;
        served = false;
        brokenSince = null;
    }
}
