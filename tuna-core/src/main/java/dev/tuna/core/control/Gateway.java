package dev.tuna.core.control;

import dev.tuna.router.Route;
import dev.tuna.router.RouteLoad;
import java.net.URI;
import java.util.Optional;

/**
 * The endpoint as the control plane sees it: in production the router's engine, in a simulation a script. Thread-safe;
 * every method returns at once.
 */
public interface Gateway extends AutoCloseable {

    /**
     * Puts a route, or replaces the one of the same deployment whole.
     *
     * @param route what requests for the deployment's models find from now on
     */
    void put(Route route);

    /**
     * Takes a route away; requests for its models are then answered with 404. One that does not exist is no error.
     *
     * @param deployment the deployment's name
     */
    void remove(String deployment);

    /**
     * What a route has had to do since it was first put.
     *
     * @param deployment the deployment's name
     * @return its load; {@link RouteLoad#NONE} if there is no such route
     */
    RouteLoad load(String deployment);

    /**
     * Where clients connect.
     *
     * @return base URL without path, for instance {@code http://127.0.0.1:8080}
     */
    URI address();

    /**
     * The certificate that clients are shown.
     *
     * @return PEM; empty with plain HTTP
     */
    default Optional<String> certificate() {
        return Optional.empty();
    }

    /** Stops answering. Idempotent and bounded. */
    @Override
    void close();
}
