package dev.tuna.core.reconcile;

import java.util.Objects;

/** One thing to be done to a fleet. */
public sealed interface FleetAction {

    /**
     * Rent more machines.
     *
     * @param count how many, 1 or more
     */
    record Launch(int count) implements FleetAction {}

    /**
     * Rent machines that are to take the place of replicas that serve on meanwhile; nothing is lost if none can be had.
     *
     * @param count how many, 1 or more
     */
    record Relocate(int count) implements FleetAction {}

    /**
     * Give a replica no new requests.
     *
     * @param id which
     * @param reason why, in a few words
     */
    record Drain(String id, String reason) implements FleetAction {

        /** Checks that both parts are there. */
        public Drain {
            Objects.requireNonNull(id, "id");
            Objects.requireNonNull(reason, "reason");
        }
    }

    /**
     * Terminate a replica.
     *
     * @param id which
     * @param reason why, in a few words
     * @param failed whether it goes because it failed
     */
    record End(String id, String reason, boolean failed) implements FleetAction {

        /** Checks that both texts are there. */
        public End {
            Objects.requireNonNull(id, "id");
            Objects.requireNonNull(reason, "reason");
        }
    }
}
