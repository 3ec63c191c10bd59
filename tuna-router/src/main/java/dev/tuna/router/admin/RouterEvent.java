package dev.tuna.router.admin;

import java.util.Objects;

/**
 * A change of the router's state, as {@code /router/events} tells it. Immutable.
 *
 * @param type what has changed
 * @param deployment whose
 * @param json the particulars, an object in one line
 */
public record RouterEvent(Type type, String deployment, String json) {

    /** What can change. */
    public enum Type {
        /** A deployment is routed; its backends follow. */
        ROUTE_ADDED,
        /** A deployment is routed no longer, and nor are its backends. */
        ROUTE_REMOVED,
        /** A backend was added to a route. */
        BACKEND_ADDED,
        /** A backend was taken off a route; what it works on is finished. */
        BACKEND_REMOVED,
        /** A backend gets nothing new, or gets requests again. */
        BACKEND_DRAINING,
        /** It has become known, or has changed, when a backend will be gone. */
        BACKEND_NOTICE,
        /** A backend's circuit breaker has changed; one that opens ejects the backend. */
        BREAKER,
        /** A replica is offered more or less of the traffic, for how quickly it answers. */
        SHARE,
        /** The replicas as a whole have become cold, warming or ready. */
        SPOT_STATE;

        /**
         * The name under which it is told.
         *
         * @return lower case
         */
        public String label() {
            return Labels.lower(this);
        }
    }

    /** Checks that every part is there. */
    public RouterEvent {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(deployment, "deployment");
        Objects.requireNonNull(json, "json");
    }
}
