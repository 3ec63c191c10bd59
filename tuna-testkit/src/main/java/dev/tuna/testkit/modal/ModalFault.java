package dev.tuna.testkit.modal;

import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Pattern;

/**
 * What Modal's command line does wrong, for as many matching commands as it says.
 *
 * @param commands matches the command's words, joined by blanks, whole; for instance {@code app list .*}
 * @param times how many commands it spoils
 * @param kind what happens
 * @param status exit status, for {@link Kind#ANSWER}
 * @param err what is written to standard error, for {@link Kind#ANSWER}
 * @param gate what is waited for, for {@link Kind#SLOW}
 */
public record ModalFault(
        Pattern commands, int times, Kind kind, int status, String err, Optional<CountDownLatch> gate) {

    /** What Modal's command line says when its server does not answer. */
    public static final String UNREACHABLE = "Could not connect to the Modal server.";

    /** What happens to a command. */
    public enum Kind {
        /** It fails with an error and does nothing. */
        ANSWER,
        /** It dies before it does anything. */
        CRASH_BEFORE,
        /** It does what it was told and dies without saying so. */
        CRASH_AFTER,
        /** It does what it was told, but only once somebody opens the gate. */
        SLOW
    }

    /** Checks that every part is there. */
    public ModalFault {
        Objects.requireNonNull(commands, "commands");
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(err, "err");
        Objects.requireNonNull(gate, "gate");
    }

    /**
     * An error in Modal's frame, exit status 1.
     *
     * @param commands regular expression for the words
     * @param message what is said
     * @return a fault for one command
     */
    public static ModalFault saying(String commands, String message) {
        return new ModalFault(Pattern.compile(commands), 1, Kind.ANSWER, 1, Panel.error(message), Optional.empty());
    }

    /**
     * A process that dies.
     *
     * @param commands regular expression for the words
     * @param done whether what was asked is done all the same
     * @return a fault for one command
     */
    public static ModalFault crashing(String commands, boolean done) {
        return new ModalFault(
                Pattern.compile(commands), 1, done ? Kind.CRASH_AFTER : Kind.CRASH_BEFORE, 0, "", Optional.empty());
    }

    /**
     * A command that takes as long as the test wants.
     *
     * @param commands regular expression for the words
     * @param gate opened by the test
     * @return a fault for one command
     */
    public static ModalFault slow(String commands, CountDownLatch gate) {
        return new ModalFault(Pattern.compile(commands), 1, Kind.SLOW, 0, "", Optional.of(gate));
    }

    /**
     * The same for more commands.
     *
     * @param more how many
     * @return the fault
     */
    public ModalFault times(int more) {
        return new ModalFault(commands, more, kind, status, err, gate);
    }
}
