package dev.tuna.api;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * Something that happened to a deployment, for progress displays and logs. Immutable; holds no secret.
 *
 * @param at when
 * @param deployment which deployment
 * @param kind what happened
 * @param backend the serverless endpoint or replica concerned, if one is
 * @param message one sentence for a person
 */
public record DeploymentEvent(Instant at, String deployment, Kind kind, Optional<String> backend, String message) {

    /** Checks that every part is there. */
    public DeploymentEvent {
        Objects.requireNonNull(at, "at");
        Objects.requireNonNull(deployment, "deployment");
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(backend, "backend");
        Objects.requireNonNull(message, "message");
    }

    /** What can happen; safe to switch on. */
    public enum Kind {
        /** The request was accepted and recorded; the endpoint answers. */
        ACCEPTED,
        /** A deployment of an earlier process was found and is looked after again. */
        ADOPTED,
        /** A backend was asked for. */
        BACKEND_REQUESTED,
        /** A backend reached another phase. */
        BACKEND_PROGRESS,
        /** A backend passed its readiness request and takes traffic. */
        BACKEND_READY,
        /** A backend takes no new requests. */
        BACKEND_DRAINING,
        /** A backend failed; the message says why. */
        BACKEND_FAILED,
        /** The provider confirmed that a backend is gone. */
        BACKEND_GONE,
        /** The cloud announced that it will take a replica. */
        INTERRUPTION_NOTICE,
        /** The cloud recommended to leave a replica, since the risk that it takes it is higher than usual. */
        REBALANCE_RECOMMENDATION,
        /** The fleet as a whole became cold, warming or ready. */
        SPOT_STATE,
        /** The wanted number of replicas changed. */
        SCALED,
        /** The deployment serves for the first time. */
        READY,
        /** A changed request is brought up beside the one that serves. */
        ROLL_STARTED,
        /** A changed request serves and takes all new requests; what was before finishes what it has. */
        ROLLED,
        /** A changed request was given up; the message says why. What served before goes on. */
        ROLL_ABANDONED,
        /** A limit of money is hit, or no longer; the message says which, until when, and what follows. */
        BUDGET,
        /** Something needs a person's attention; the deployment goes on. */
        WARNING,
        /** Tearing down began. */
        DESTROYING,
        /** Nothing is left. */
        DESTROYED,
        /** Nothing serves and nothing is left that could. */
        FAILED
    }
}
