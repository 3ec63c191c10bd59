package dev.tuna.router.proxy;

import dev.tuna.router.BackendLoad;
import dev.tuna.router.BreakerPhase;
import dev.tuna.router.admin.EventLog;
import dev.tuna.router.admin.RouteChanges;
import dev.tuna.router.admin.RouterControl.RouteStatus;
import dev.tuna.router.admin.RouterEvent;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Finds out what has changed in the routes, and tells whoever reads {@code /router/events}. Thread-safe.
 *
 * <p>Where something changes, its route is only marked; one event loop then looks at it, so that requests neither wait for
 * each other nor for readers. What changes by the passing of time is looked at as long as it does.
 */
final class RouterEvents {

    /** Each reader can hold back some hundred kilobytes. */
    static final int MOST_READERS = 64;

    private final Loop loop;
    private final InstantSource wall;
    private final Set<EventStream> readers = ConcurrentHashMap.newKeySet();

    /** Written on the loop only. */
    private volatile EventLog log =
            EventLog.of(Long.toHexString(ThreadLocalRandom.current().nextLong()));

    RouterEvents(Loop loop, InstantSource wall) {
        this.loop = loop;
        this.wall = wall;
    }

    Watch watch(RouteRuntime route) {
        return new Watch(route);
    }

    EventLog log() {
        return log;
    }

    /** Tells a reader of every further event; false if there are too many readers. */
    boolean join(EventStream reader) {
        return readers.size() < MOST_READERS && readers.add(reader);
    }

    void leave(EventStream reader) {
        readers.remove(reader);
    }

    private void tell(List<RouterEvent> events) {
        if (!events.isEmpty()) {
            log = log.with(events);
            readers.forEach(EventStream::call);
        }
    }

    /** Looks at one route. */
    final class Watch extends Sweeper.Member {

        private final RouteRuntime route;
        private final AtomicBoolean called = new AtomicBoolean();
        private Optional<RouteStatus> seen = Optional.empty();

        private Watch(RouteRuntime route) {
            this.route = route;
        }

        /** Something of the route may have changed. For any thread; quick. */
        void call() {
            if (!called.get() && called.compareAndSet(false, true)) {
                try {
                    loop.executor().execute(this::look);
                } catch (RejectedExecutionException e) {
                    return; // the router is closed, and with it every reader
                }
            }
        }

        private void look() {
            called.set(false);
            Optional<RouteStatus> now = route.isGone() ? Optional.empty() : Optional.of(route.status());
            tell(RouteChanges.between(route.name(), seen, now, wall.instant()));
            seen = now;
            if (now.isPresent() && isMoving(now.get())) {
                loop.connections().add(this);
            } else {
                loop.connections().remove(this);
            }
        }

        @Override
        void sweep(long now) {
            look();
        }
    }

    /** Whether something changes by time alone. */
    private static boolean isMoving(RouteStatus status) {
        return status.load().backends().values().stream().anyMatch(RouterEvents::isMoving);
    }

    private static boolean isMoving(BackendLoad load) {
        return load.breaker() == BreakerPhase.OPEN || load.breaker() == BreakerPhase.COOLING || load.share() < 1;
    }
}
