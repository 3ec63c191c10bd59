package dev.tuna.examples.command;

/** What a person's Ctrl-C means. */
@FunctionalInterface
public interface Interrupts {

    /** Ctrl-C ends the process, as usual: nobody can be asked. */
    Interrupts UNASKED = action -> () -> {};

    /**
     * Has Ctrl-C do something else than to end the process.
     *
     * @param action is run for each, on a thread of its own
     * @return makes Ctrl-C end the process again
     */
    Asking instead(Runnable action);

    /** For as long as it is open Ctrl-C does something else. */
    interface Asking extends AutoCloseable {

        /** Makes Ctrl-C end the process again. Idempotent. */
        @Override
        void close();
    }
}
