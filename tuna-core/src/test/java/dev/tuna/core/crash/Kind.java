package dev.tuna.core.crash;

import dev.tuna.testkit.cloud.process.CallerDeath.Moment;
import java.util.Optional;

/** What a controller is doing when it is killed. */
enum Kind {
    /** It has called the cloud, which has done nothing yet and will not. */
    CALL_NOT_ACTED_ON(Optional.of(Moment.BEFORE_ACTING)),
    /** It has called the cloud, which has done what was asked; the answer never comes. */
    CALL_NOT_ANSWERED(Optional.of(Moment.BEFORE_ANSWERING)),
    /** The cloud's answer is on its way. */
    CALL_ANSWERED(Optional.of(Moment.AFTER_ANSWERING)),
    /** It is about to write to the state store or to the secret store, whose disk is slow. */
    BEFORE_WRITE(Optional.empty()),
    /** A write is on disk; what waits for it has not begun. */
    AFTER_WRITE(Optional.empty()),
    /** Anything: it is killed from outside, {@link Point#STEP} times k after the beginning. */
    ANYTHING(Optional.empty());

    private final Optional<Moment> moment;

    Kind(Optional<Moment> moment) {
        this.moment = moment;
    }

    /** At which moment of a call it dies, if it dies at a call. */
    Optional<Moment> moment() {
        return moment;
    }

    boolean atWrite() {
        return this == BEFORE_WRITE || this == AFTER_WRITE;
    }
}
