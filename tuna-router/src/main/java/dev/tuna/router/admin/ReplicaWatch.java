package dev.tuna.router.admin;

import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks replicas whether they can serve. A replica counts as healthy from its first 200 until it refuses a connection or
 * fails twice in a row: one slow answer under load is no death. Thread-safe.
 */
final class ReplicaWatch implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ReplicaWatch.class);
    private static final int FAILURES_TO_LEAVE = 2;

    /** What is known of one replica; the watch's entry is replaced as a whole. */
    private record Health(boolean healthy, int failures) {
        static final Health UNKNOWN = new Health(false, 0);

        Health answered(boolean well, boolean refused) {
            if (well) {
                return new Health(true, 0);
            }
            return new Health(healthy && !refused && failures + 1 < FAILURES_TO_LEAVE, failures + 1);
        }
    }

    private final String path;
    private final Duration timeout;
    private final HttpClient client;
    private final Runnable onChange;
    private final Map<URI, Health> replicas = new ConcurrentHashMap<>();
    private final Set<URI> asked = ConcurrentHashMap.newKeySet();
    private final Future<?> rounds;
    private volatile boolean closed;

    ReplicaWatch(
            String path, Duration every, ScheduledExecutorService scheduler, HttpClient client, Runnable onChange) {
        this.path = path;
        this.timeout = every;
        this.client = client;
        this.onChange = onChange;
        this.rounds =
                scheduler.scheduleWithFixedDelay(this::askAll, every.toNanos(), every.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** Watches these replicas from now on and no others; new ones are asked at once. */
    void watch(List<URI> urls) {
        replicas.keySet().retainAll(new HashSet<>(urls));
        urls.forEach(url -> {
            if (replicas.putIfAbsent(url, Health.UNKNOWN) == null) {
                ask(url);
            }
        });
    }

    boolean isHealthy(URI url) {
        return replicas.getOrDefault(url, Health.UNKNOWN).healthy();
    }

    private void askAll() {
        replicas.keySet().forEach(this::ask);
    }

    @SuppressWarnings("FutureReturnValueIgnored") // a failure is an answer too
    private void ask(URI url) {
        if (closed || !asked.add(url)) {
            return;
        }
        HttpRequest request = HttpRequest.newBuilder(URI.create(withoutSlash(url.toString()) + path))
                .version(HttpClient.Version.HTTP_1_1)
                .timeout(timeout)
                .build();
        client.sendAsync(request, HttpResponse.BodyHandlers.discarding()).whenComplete((answer, failure) -> {
            asked.remove(url);
            answered(url, answer != null && answer.statusCode() == 200, isRefusal(failure));
        });
    }

    private void answered(URI url, boolean well, boolean refused) {
        @Nullable Health before = replicas.get(url);
        @Nullable Health after = replicas.computeIfPresent(url, (key, health) -> health.answered(well, refused));
        if (closed || before == null || after == null || before.healthy() == after.healthy()) {
            return;
        }
        LOG.info(
                "replica at {} {}",
                url.getAuthority(),
                after.healthy() ? "serves" : "no longer answers its health check");
        try {
            onChange.run();
        } catch (RuntimeException e) {
            LOG.warn("the replica at {} could not be put to use", url.getAuthority(), e);
        }
    }

    private static boolean isRefusal(@Nullable Throwable failure) {
        return failure != null
                && (failure instanceof ConnectException || failure.getCause() instanceof ConnectException);
    }

    private static String withoutSlash(String url) {
        return url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
    }

    @Override
    public void close() {
        closed = true;
        rounds.cancel(false);
    }
}
