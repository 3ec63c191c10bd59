package dev.tuna.router.admin;

import dev.tuna.router.BackendFailure;
import dev.tuna.router.Route;
import dev.tuna.router.RouteLoad;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** What the admin endpoints see of the router. Implemented by it; called on event loops, so every method is quick. */
public interface RouterControl {

    /**
     * One route as it is now.
     *
     * @param route what it was told
     * @param load what it has had to do
     * @param failures attempts that failed, by how
     */
    record RouteStatus(Route route, RouteLoad load, Map<BackendFailure, Long> failures) {

        /** Copies the map. */
        public RouteStatus {
            Objects.requireNonNull(route, "route");
            Objects.requireNonNull(load, "load");
            failures = Map.copyOf(failures);
        }
    }

    /**
     * Every route.
     *
     * @return a snapshot
     */
    List<RouteStatus> routes();

    /**
     * One route.
     *
     * @param deployment its name
     * @return empty if there is none
     */
    Optional<RouteStatus> route(String deployment);

    /**
     * A route whose backends may be set over HTTP.
     *
     * @param deployment its name
     * @return empty if there is none of that name, or if it is managed by a deployment
     */
    Optional<EditableRoute> editable(String deployment);

    /**
     * Whether requests are taken.
     *
     * @return false once the router closes
     */
    boolean accepting();
}
