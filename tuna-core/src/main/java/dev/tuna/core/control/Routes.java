package dev.tuna.core.control;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.SpotState;
import dev.tuna.router.Route;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RoutePolicy;
import dev.tuna.spi.ResourceRecord.State;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** What the router is to know of a deployment. Pure. */
final class Routes {

    private Routes() {}

    /**
     * The route of a deployment.
     *
     * @param current the revision whose backends take the requests
     * @param former revisions that finish what they have
     * @param now for the wall clock's word on when backends end
     */
    static Route of(Slot current, List<Slot> former, RoutePolicy policy, Now now) {
        Managed managed = current.state();
        Keys keys = current.keys();
        boolean serving = managed.goal() == Goal.SERVE;
        return new Route(
                managed.name(),
                List.of(managed.request().model()),
                keys.traffic(),
                managed.request().publicAccess(),
                Stream.concat(
                                backends(
                                        current,
                                        managed.endpoints(),
                                        endpoint -> isFallback(managed, endpoint),
                                        serving,
                                        now),
                                former.stream()
                                        .flatMap(slot ->
                                                finishing(slot, slot.state().endpoints(), now)))
                        .toList(),
                Stream.concat(
                                backends(current, managed.replicas(), Backend::isReady, serving, now),
                                former.stream()
                                        .flatMap(slot ->
                                                finishing(slot, slot.state().replicas(), now)))
                        .toList(),
                (int) managed.replicas()
                        .filter(replica -> replica.isWanted() && !replica.isReady())
                        .count(),
                policy(managed, serving, policy));
    }

    /** Nobody is let in to wait for what is being torn down, and nobody at all when no money is left. */
    private static RoutePolicy policy(Managed managed, boolean serving, RoutePolicy policy) {
        if (!serving) {
            return policy.toBuilder().waitingRoom(0).build();
        }
        Optional<String> refusal = managed.restraint().refusal();
        return refusal.isEmpty() ? policy : policy.toBuilder().refusal(refusal).build();
    }

    /**
     * Whether a revision gives the same route before and after. Looks at exactly what {@link #of} shows; when a drain ends
     * is shown on the wall clock, which may have been set.
     */
    static boolean sameRoute(Managed before, Managed after) {
        return before.goal() == after.goal()
                && before.revision().equals(after.revision())
                && before.request().equals(after.request())
                && before.isOver() == after.isOver()
                && before.restraint().refusal().equals(after.restraint().refusal())
                && sameBackends(before.backends(), after.backends());
    }

    private static boolean sameBackends(Map<String, Backend> before, Map<String, Backend> after) {
        if (before.size() != after.size()) {
            return false;
        }
        for (Backend backend : after.values()) {
            Backend old = before.get(backend.id());
            if (old == null || !sameRoute(old, backend)) {
                return false;
            }
        }
        return true;
    }

    @SuppressWarnings("ReferenceEquality") // a shortcut: what was not changed is the same object
    private static boolean sameRoute(Backend before, Backend after) {
        return (before == after && !after.isDraining())
                || (before.state() == after.state()
                        && before.phase() == after.phase()
                        && before.readyAt().isPresent() == after.readyAt().isPresent()
                        && !before.isDraining()
                        && !after.isDraining()
                        && before.address().equals(after.address()));
    }

    private static Stream<RouteBackend> finishing(Slot slot, Stream<Backend> backends, Now now) {
        return backends(slot, backends, Backend::isReady, false, now);
    }

    /** While spot serves, an endpoint that has not been tried is routed untried: it is asked only if spot fails. */
    private static boolean isFallback(Managed managed, Backend endpoint) {
        return endpoint.isReady() || (endpoint.phase() == BackendPhase.READY && managed.spotState() == SpotState.READY);
    }

    private static Stream<RouteBackend> backends(
            Slot slot, Stream<Backend> backends, Predicate<Backend> usable, boolean serving, Now now) {
        return backends.filter(backend -> backend.state() == State.LIVE && usable.test(backend))
                .flatMap(backend -> backend.address().stream()
                        .map(address -> new RouteBackend(
                                backend.id(),
                                backend.tier(),
                                slot.keys().complete(address),
                                backend.isDraining() || !serving,
                                backend.drainUntil().map(end -> onTheWall(end, now)),
                                slot.state().id())));
    }

    /** In whole seconds, so that the same end looks the same every time. */
    private static Instant onTheWall(Instant steady, Now now) {
        return now.wall().plus(Duration.between(now.steady(), steady)).truncatedTo(ChronoUnit.SECONDS);
    }
}
