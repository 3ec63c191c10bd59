package dev.tuna.testkit.crash;

import dev.tuna.testkit.crash.CallerDeath.Moment;
import java.util.Optional;

/** What a controller is doing when it is killed. */
public enum Kind {
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
    /** Anything: it is killed from outside, some time after the beginning. */
    ANYTHING(Optional.empty());

    private final Optional<Moment> moment;

    Kind(Optional<Moment> moment) {
        this.moment = moment;
    }

    /**
     * At which moment of a call it dies.
     *
     * @return empty if it does not die at a call
     */
    public Optional<Moment> moment() {
        return moment;
    }

    /**
     * Whether it dies at a write.
     *
     * @return true for both kinds of death at a write
     */
    public boolean atWrite() {
        return this == BEFORE_WRITE || this == AFTER_WRITE;
    }
}
