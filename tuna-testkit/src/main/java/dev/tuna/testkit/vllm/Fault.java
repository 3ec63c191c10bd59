package dev.tuna.testkit.vllm;

import java.time.Duration;
import java.util.Objects;
import java.util.function.Predicate;

/**
 * One way to misbehave, as data: what, where in the answer, how often, and to whom.
 *
 * <p>A fault applies to inference requests ({@code POST} below {@code /v1/}) until it is cleared, unless {@link #times},
 * {@link #on} or {@link #when} say otherwise. A request suffers at most one fault, the first injected that fits it.
 * Token positions count the tokens already sent: a cut at token 0 comes after the role chunk and before the first token.
 * Immutable.
 *
 * @param kind what goes wrong
 * @param moment where, for the kinds that cut or spoil an answer
 * @param status the HTTP status of {@link Kind#STATUS}
 * @param pause the {@code Retry-After} of {@link Kind#STATUS} (zero for none), the delay between pieces of
 *     {@link Kind#SLOW_BODY}
 * @param bytes the size added by {@link Kind#HUGE_BODY}, the size of a piece of {@link Kind#SLOW_BODY}
 * @param times how many requests it applies to; {@link #ALWAYS} for all
 * @param matches which requests it applies to, asked once per request when its body is complete
 */
public record Fault(
        Kind kind,
        Moment moment,
        int status,
        Duration pause,
        int bytes,
        int times,
        Predicate<? super RecordedRequest> matches) {

    /** For {@link #times()}: until cleared. */
    public static final int ALWAYS = Integer.MAX_VALUE;

    /** What can go wrong. */
    public enum Kind {
        /** The port is closed: connections are refused until faults are cleared; open connections stay. */
        REFUSE,
        /** An HTTP error status with an error body. */
        STATUS,
        /** The connection is reset (RST). */
        RESET,
        /** The connection ends (FIN) in the middle of the answer. */
        EOF,
        /** Nothing more is sent and the connection stays open. */
        STALL,
        /** The answer ends early with the finish reason {@code abort} and, when streamed, {@code [DONE]}. */
        ABORT,
        /** An error event followed by {@code [DONE]}; HTTP 500 when not streamed. */
        ERROR_EVENT,
        /** Reset at a token within the first stop string that the answer would meet; nothing if there is none. */
        RESET_WITHIN_STOP,
        /** {@code kv_transfer_params.prompt_token_ids} is ignored without a word, as by older servers. */
        IGNORE_PROMPT_TOKEN_IDS,
        /** 400 to {@code continue_final_message}, as with chat templates that drop the partial answer. */
        REJECT_PREFILL,
        /** Every other chunk has token ids and no text; the text comes with the next one. */
        IDS_WITHOUT_TEXT,
        /** The answer is padded: white space after JSON, a comment before the first event of a stream. */
        HUGE_BODY,
        /** The body dribbles out in small pieces that respect no boundary. */
        SLOW_BODY,
        /** The body is gzip-encoded, whether the client accepts that or not. */
        GZIP,
        /** Two {@code Set-Cookie} and two {@code X-Repeated} headers on the answer. */
        REPEATED_HEADERS
    }

    /**
     * A place in an answer.
     *
     * @param token how many tokens were sent before it; below zero for the two places ahead of the body
     */
    public record Moment(int token) {
        /** Nothing has been sent. */
        public static final Moment BEFORE_HEADERS = new Moment(-2);

        /** Status line and headers have been sent, nothing of the body. */
        public static final Moment AFTER_HEADERS = new Moment(-1);

        /**
         * After a number of tokens.
         *
         * @param token how many tokens are sent before, at least 0
         * @return the moment
         */
        public static Moment atToken(int token) {
            if (token < 0) {
                throw new IllegalArgumentException("token must be at least 0, got " + token);
            }
            return new Moment(token);
        }
    }

    /** Checks the numbers. */
    public Fault {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(matches, "matches");
        if (times < 1) {
            throw new IllegalArgumentException("times must be at least 1, got " + times);
        }
        if (pause.isNegative()) {
            throw new IllegalArgumentException("pause must not be negative, got " + pause);
        }
    }

    /**
     * A fault with everything but its kind at the default; see the other factories for kinds with a parameter.
     *
     * @param kind what goes wrong; {@link Kind#STATUS} gives 500, cuts come before the headers
     * @return the fault
     */
    public static Fault of(Kind kind) {
        int bytes = kind == Kind.HUGE_BODY ? 1 << 20 : 7;
        Duration pause = kind == Kind.SLOW_BODY ? Duration.ofMillis(2) : Duration.ZERO;
        return new Fault(kind, Moment.BEFORE_HEADERS, 500, pause, bytes, ALWAYS, Fault::isInference);
    }

    /**
     * Refuses connections until faults are cleared.
     *
     * @return the fault; {@link #times} and predicates do not apply to it
     */
    public static Fault refuse() {
        return of(Kind.REFUSE);
    }

    /**
     * Answers with an error status.
     *
     * @param status 400 to 599
     * @return the fault
     */
    public static Fault status(int status) {
        if (status < 400 || status > 599) {
            throw new IllegalArgumentException("status must be 400 to 599, got " + status);
        }
        return new Fault(Kind.STATUS, Moment.BEFORE_HEADERS, status, Duration.ZERO, 0, ALWAYS, Fault::isInference);
    }

    /**
     * Answers 429, as gateways in front of a model server do.
     *
     * @param retryAfter the value of {@code Retry-After}, sent in whole seconds; zero leaves the header out
     * @return the fault
     */
    public static Fault tooManyRequests(Duration retryAfter) {
        return new Fault(Kind.STATUS, Moment.BEFORE_HEADERS, 429, retryAfter, 0, ALWAYS, Fault::isInference);
    }

    /**
     * Resets the connection.
     *
     * @param moment where in the answer
     * @return the fault
     */
    public static Fault reset(Moment moment) {
        return of(Kind.RESET).at(moment);
    }

    /**
     * Closes the connection in the middle of the answer, without a reset.
     *
     * @param moment where in the answer
     * @return the fault
     */
    public static Fault eof(Moment moment) {
        return of(Kind.EOF).at(moment);
    }

    /**
     * Stops sending and keeps the connection open.
     *
     * @param moment where in the answer
     * @return the fault
     */
    public static Fault stall(Moment moment) {
        return of(Kind.STALL).at(moment);
    }

    /**
     * Ends the answer with the finish reason {@code abort}.
     *
     * @param token how many tokens are sent before
     * @return the fault
     */
    public static Fault abort(int token) {
        return of(Kind.ABORT).at(Moment.atToken(token));
    }

    /**
     * Sends an error event and {@code [DONE]}.
     *
     * @param token how many tokens are sent before
     * @return the fault
     */
    public static Fault errorEvent(int token) {
        return of(Kind.ERROR_EVENT).at(Moment.atToken(token));
    }

    /**
     * Pads the answer.
     *
     * @param bytes how much is added
     * @return the fault
     */
    public static Fault hugeBody(int bytes) {
        Fault fault = of(Kind.HUGE_BODY);
        return new Fault(fault.kind, fault.moment, fault.status, fault.pause, bytes, fault.times, fault.matches);
    }

    /**
     * Sends the body in small pieces.
     *
     * @param bytes the size of a piece, at least 1
     * @param pause the time between two pieces
     * @return the fault
     */
    public static Fault slowBody(int bytes, Duration pause) {
        if (bytes < 1) {
            throw new IllegalArgumentException("bytes must be at least 1, got " + bytes);
        }
        return new Fault(Kind.SLOW_BODY, Moment.BEFORE_HEADERS, 500, pause, bytes, ALWAYS, Fault::isInference);
    }

    /**
     * The same fault for the next requests only.
     *
     * @param times how many, at least 1
     * @return a copy
     */
    public Fault times(int times) {
        return new Fault(kind, moment, status, pause, bytes, times, matches);
    }

    /**
     * The same fault once.
     *
     * @return a copy
     */
    public Fault once() {
        return times(1);
    }

    /**
     * The same fault for one path, whatever the method.
     *
     * @param path the path, without query
     * @return a copy
     */
    public Fault on(String path) {
        return when(request -> request.path().equals(path));
    }

    /**
     * The same fault for chosen requests, which need not be inference requests.
     *
     * @param matches chooses; called on the server's thread
     * @return a copy
     */
    public Fault when(Predicate<? super RecordedRequest> matches) {
        return new Fault(kind, moment, status, pause, bytes, times, matches);
    }

    /**
     * The same fault at another place.
     *
     * @param moment where in the answer
     * @return a copy
     */
    public Fault at(Moment moment) {
        return new Fault(kind, moment, status, pause, bytes, times, matches);
    }

    private static boolean isInference(RecordedRequest request) {
        return request.method().equals("POST") && request.path().startsWith("/v1/");
    }

    boolean is(Kind wanted) {
        return kind == wanted;
    }

    @Override
    public String toString() {
        return kind + " at token " + moment.token + (times == ALWAYS ? "" : " " + times + " times");
    }
}
