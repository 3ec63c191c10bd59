package dev.tuna.core.control;

/** Whether a call outside may be made when its turn comes, and until when it is under way. */
interface Permit {

    /**
     * To be asked right before the call: one that nobody waits for must not be made any more, since what it makes might be
     * made after everything was removed.
     *
     * @return whether it may be made; then {@link #end} is to follow
     */
    boolean begin();

    /** The call is over, and its answer has been handed on. */
    void end();
}
