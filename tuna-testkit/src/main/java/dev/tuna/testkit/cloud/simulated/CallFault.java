package dev.tuna.testkit.cloud.simulated;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import java.util.Objects;
import java.util.function.Function;

/** What goes wrong with a call. Immutable. */
public final class CallFault {

    private final boolean takesEffect;
    private final Function<CloudCall, RuntimeException> failure;

    private CallFault(boolean takesEffect, Function<CloudCall, RuntimeException> failure) {
        this.takesEffect = takesEffect;
        this.failure = failure;
    }

    /**
     * The call fails and does nothing.
     *
     * @param failure what is thrown
     * @return the fault
     */
    public static CallFault throwing(RuntimeException failure) {
        Objects.requireNonNull(failure, "failure");
        return new CallFault(false, call -> failure);
    }

    /**
     * The cloud answers with an HTTP error and does nothing.
     *
     * @param status 400 to 599; 429 and 500 upwards are retryable
     * @return the fault
     */
    public static CallFault status(int status) {
        return new CallFault(
                false,
                call -> ProviderException.of(call.provider(), call.operation().toString())
                        .httpStatus(status)
                        .retryable(status == 429 || status >= 500)
                        .message("as scripted")
                        .build());
    }

    /**
     * The call does not reach the cloud, and the caller gives up on it.
     *
     * @return the fault
     */
    public static CallFault timeout() {
        return new CallFault(false, call -> unreachable(call, "no answer in time, as scripted"));
    }

    /**
     * The call takes effect, but its answer is lost on the way back; the caller sees what {@link #timeout()} shows.
     *
     * @return the fault
     */
    public static CallFault lostAnswer() {
        return new CallFault(true, call -> unreachable(call, "no answer in time, as scripted"));
    }

    /**
     * The call hangs and never returns, as when neither side has a time-out.
     *
     * <p>A caller cannot be held up on virtual time, so its task ends here with a throwable that nobody expects: whoever
     * waits for the task's result goes on waiting. The task has to run on a scheduler of the {@link
     * dev.tuna.testkit.time.VirtualTime}, not in the thread that asks for it.
     *
     * @param takesEffect whether the cloud has done what was asked
     * @return the fault
     */
    public static CallFault neverReturns(boolean takesEffect) {
        return new CallFault(takesEffect, call -> CallFault.<RuntimeException>asUnchecked(new NeverReturns(call)));
    }

    /** Checked and thrown unchecked, so that no handler of exceptions or errors on the way takes it for an answer. */
    private static final class NeverReturns extends Exception {
        private static final long serialVersionUID = 1L;

        NeverReturns(CloudCall call) {
            super(call + " never returns", null, false, false);
        }
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <T extends Throwable> RuntimeException asUnchecked(Throwable thrown) throws T {
        throw (T) thrown;
    }

    private static RuntimeException unreachable(CloudCall call, String message) {
        return ProviderException.of(call.provider(), call.operation().toString())
                .code(ErrorCode.UNREACHABLE)
                .retryable(true)
                .message(message)
                .build();
    }

    boolean takesEffect() {
        return takesEffect;
    }

    RuntimeException failure(CloudCall call) {
        return failure.apply(call);
    }
}
