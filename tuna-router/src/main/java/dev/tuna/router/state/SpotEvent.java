package dev.tuna.router.state;

/** Something learnt about a fleet of replicas. */
public sealed interface SpotEvent {

    /**
     * The fleet as it really is. To be sent whenever it changes, and harmless when sent again.
     *
     * @param warming replicas that do not serve but may soon: booting, or resting behind an open breaker
     * @param usable replicas that a request could be sent to now: serving, not draining, breaker not open
     */
    record FleetSeen(int warming, int usable) implements SpotEvent {

        /** Checks that the numbers are not negative. */
        public FleetSeen {
            if (warming < 0 || usable < 0) {
                throw new IllegalArgumentException("a fleet cannot have " + warming + " warming and " + usable
                        + " usable replicas: numbers must be 0 or more");
            }
        }
    }
}
