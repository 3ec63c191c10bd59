package dev.tuna.core.control;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How far the tearing down of a deployment has come. Immutable.
 *
 * @param drainUntil until when requests may go on, in steady time; present from its beginning on
 * @param cleaned whether what the fleet's cloud had beside the replicas is removed
 * @param removed outside resources confirmed gone since the beginning
 * @param call a clean-up or conclusion under way
 * @param retry when the next one may be made
 */
record Ending(Optional<Instant> drainUntil, boolean cleaned, List<String> removed, Optional<Call> call, Retry retry) {

    static final Ending NOT_BEGUN = new Ending(Optional.empty(), false, List.of(), Optional.empty(), Retry.NONE);

    Ending {
        removed = List.copyOf(removed);
    }

    Ending begun(Instant drainLimit) {
        return new Ending(Optional.of(drainLimit), cleaned, removed, call, retry);
    }

    /** At the latest then, if it has begun. */
    Ending by(Instant limit) {
        return new Ending(drainUntil.map(end -> end.isBefore(limit) ? end : limit), cleaned, removed, call, retry);
    }

    Ending calling(Call next) {
        return new Ending(drainUntil, cleaned, removed, Optional.of(next), retry);
    }

    Ending failed(Retry next) {
        return new Ending(drainUntil, cleaned, removed, Optional.empty(), next);
    }

    Ending cleanedUp() {
        return new Ending(drainUntil, true, removed, Optional.empty(), Retry.NONE);
    }

    Ending removing(String resource) {
        var more = new ArrayList<>(removed);
        more.add(resource);
        return new Ending(drainUntil, cleaned, more, call, retry);
    }
}
