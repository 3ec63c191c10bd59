package dev.tuna.router.state;

import dev.tuna.api.SpotState;
import dev.tuna.router.state.SpotEvent.FleetSeen;

/**
 * What a fleet can do, from what it is.
 *
 * <p>The state follows the replicas alone: neither an idle hour nor a single failed request makes a serving fleet cold, and
 * a burst of requests does not make a cold one warm. Since each event describes the whole fleet, a lost or late one cannot
 * leave the state wrong for longer than until the next.
 */
public final class SpotTransitions {

    private SpotTransitions() {}

    /**
     * The state after an event.
     *
     * @param state the state so far
     * @param event what was learnt
     * @return the new state; the same as before if nothing has changed
     */
    public static SpotState next(SpotState state, SpotEvent event) {
        return event instanceof FleetSeen fleet ? of(fleet) : state;
    }

    private static SpotState of(FleetSeen fleet) {
        if (fleet.usable() > 0) {
            return SpotState.READY;
        }
        return fleet.warming() > 0 ? SpotState.WARMING : SpotState.COLD;
    }
}
