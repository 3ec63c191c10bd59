package dev.tuna.core.control;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.SpotState;
import dev.tuna.router.Route;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RoutePolicy;
import dev.tuna.spi.ResourceRecord.State;
import java.util.List;
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
     */
    static Route of(Slot current, List<Slot> former, RoutePolicy policy) {
        Managed managed = current.state();
        Keys keys = current.keys();
        boolean serving = managed.goal() == Goal.SERVE;
        return new Route(
                managed.name(),
                List.of(managed.request().model()),
                keys.traffic(),
                managed.request().publicAccess(),
                Stream.concat(
                                backends(managed.endpoints(), endpoint -> isFallback(managed, endpoint), serving, keys),
                                former.stream()
                                        .flatMap(slot ->
                                                finishing(slot, slot.state().endpoints())))
                        .toList(),
                Stream.concat(
                                backends(managed.replicas(), Backend::isReady, serving, keys),
                                former.stream()
                                        .flatMap(slot ->
                                                finishing(slot, slot.state().replicas())))
                        .toList(),
                (int) managed.replicas()
                        .filter(replica -> replica.isWanted() && !replica.isReady())
                        .count(),
                // Nobody is let in to wait for what is being torn down.
                serving ? policy : policy.toBuilder().waitingRoom(0).build());
    }

    private static Stream<RouteBackend> finishing(Slot slot, Stream<Backend> backends) {
        return backends(backends, Backend::isReady, false, slot.keys());
    }

    /** While spot serves, an endpoint that has not been tried is routed untried: it is asked only if spot fails. */
    private static boolean isFallback(Managed managed, Backend endpoint) {
        return endpoint.isReady() || (endpoint.phase() == BackendPhase.READY && managed.spotState() == SpotState.READY);
    }

    private static Stream<RouteBackend> backends(
            Stream<Backend> backends, Predicate<Backend> usable, boolean serving, Keys keys) {
        return backends.filter(backend -> backend.state() == State.LIVE && usable.test(backend))
                .flatMap(backend -> backend.address().stream()
                        .map(address -> new RouteBackend(
                                backend.id(),
                                backend.tier(),
                                keys.complete(address),
                                backend.isDraining() || !serving)));
    }
}
