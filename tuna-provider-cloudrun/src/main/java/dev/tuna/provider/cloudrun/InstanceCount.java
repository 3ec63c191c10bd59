package dev.tuna.provider.cloudrun;

import dev.tuna.api.TunaException;
import java.time.Duration;
import java.time.Instant;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How many instances a service has, as Cloud Monitoring tells, asked once a minute. Confined to the lock of its service. */
final class InstanceCount {

    private static final Logger LOG = LoggerFactory.getLogger(InstanceCount.class);
    private static final Duration SAMPLED = Duration.ofMinutes(1);

    /** After a refusal: rights and APIs change by somebody's hand. */
    private static final Duration REST = Duration.ofMinutes(10);

    private final ProjectApi api;
    private final Place place;
    private OptionalInt known = OptionalInt.empty();
    private Instant nextLook = Instant.MIN;

    InstanceCount(ProjectApi api, Place place) {
        this.api = api;
        this.place = place;
    }

    /** The count of a few minutes ago; empty if nobody tells. */
    OptionalInt fresh(Instant now) {
        if (now.isBefore(nextLook)) {
            return known;
        }
        nextLook = now.plus(REST);
        try {
            known = api.instances(place, now);
            nextLook = now.plus(SAMPLED);
        } catch (TunaException e) {
            known = OptionalInt.empty();
            LOG.debug("{}: instances are not counted: {}", place.service(), e.getMessage());
        }
        return known;
    }
}
