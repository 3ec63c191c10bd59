package dev.tuna.testkit.vendor;

import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Pattern;

/**
 * What a vendor does wrong, for as many matching requests as it says.
 *
 * @param requests matches {@code METHOD /path} whole
 * @param times how many requests it spoils
 * @param kind what happens
 * @param answer what is answered, for {@link Kind#ANSWER}
 * @param gate what is waited for, for {@link Kind#SLOW}
 */
public record VendorFault(
        Pattern requests, int times, Kind kind, Optional<VendorAnswer> answer, Optional<CountDownLatch> gate) {

    /** What happens to a request. */
    public enum Kind {
        /** It is answered with an error and nothing is done. */
        ANSWER,
        /** The connection is cut before anything is done. */
        CUT_BEFORE,
        /** It is done, and the connection is cut before the answer. */
        CUT_AFTER,
        /** It is done, but only once somebody opens the gate. */
        SLOW
    }

    /** Checks that every part is there. */
    public VendorFault {
        Objects.requireNonNull(requests, "requests");
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(answer, "answer");
        Objects.requireNonNull(gate, "gate");
    }

    /**
     * An error instead of an answer.
     *
     * @param requests regular expression for {@code METHOD /path}
     * @param answer the error
     * @return a fault for one request
     */
    public static VendorFault answering(String requests, VendorAnswer answer) {
        return new VendorFault(Pattern.compile(requests), 1, Kind.ANSWER, Optional.of(answer), Optional.empty());
    }

    /**
     * A connection that breaks.
     *
     * @param requests regular expression for {@code METHOD /path}
     * @param done whether what was asked is done all the same
     * @return a fault for one request
     */
    public static VendorFault cutting(String requests, boolean done) {
        return new VendorFault(
                Pattern.compile(requests),
                1,
                done ? Kind.CUT_AFTER : Kind.CUT_BEFORE,
                Optional.empty(),
                Optional.empty());
    }

    /**
     * An operation that takes as long as the test wants.
     *
     * @param requests regular expression for {@code METHOD /path}
     * @param gate opened by the test
     * @return a fault for one request
     */
    public static VendorFault slow(String requests, CountDownLatch gate) {
        return new VendorFault(Pattern.compile(requests), 1, Kind.SLOW, Optional.empty(), Optional.of(gate));
    }

    /**
     * The same for more requests.
     *
     * @param more how many
     * @return the fault
     */
    public VendorFault times(int more) {
        return new VendorFault(requests, more, kind, answer, gate);
    }
}
