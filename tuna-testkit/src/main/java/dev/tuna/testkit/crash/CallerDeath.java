package dev.tuna.testkit.crash;

import java.util.Objects;

/**
 * The death of whoever made a call, at one moment of it.
 *
 * @param moment when
 * @param kill makes the caller die; when it returns the caller is dead
 */
public record CallerDeath(Moment moment, Runnable kill) {

    /** A moment of a call. */
    public enum Moment {
        /** The cloud has the call and has done nothing; nor will it. */
        BEFORE_ACTING,
        /** The cloud has done what was asked; the caller does not hear of it. */
        BEFORE_ANSWERING,
        /** The answer is on its way. */
        AFTER_ANSWERING
    }

    /** Checks that both parts are there. */
    public CallerDeath {
        Objects.requireNonNull(moment, "moment");
        Objects.requireNonNull(kill, "kill");
    }

    /**
     * Kills the caller, if this is its moment.
     *
     * @param now how far the call has come
     * @return whether it was
     */
    public boolean happens(Moment now) {
        if (now == moment) {
            kill.run();
        }
        return now == moment;
    }
}
