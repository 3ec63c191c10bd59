package dev.tuna.testkit.cloud.simulated;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import java.util.Objects;
import java.util.function.Function;

/** What goes wrong with a call. Immutable. */
public final class CallFault {

    private final boolean takesEffect;
    private final boolean hangs;
    private final Function<CloudCall, RuntimeException> failure;

    private CallFault(boolean takesEffect, boolean hangs, Function<CloudCall, RuntimeException> failure) {
        this.takesEffect = takesEffect;
        this.hangs = hangs;
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
        return new CallFault(false, false, call -> failure);
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
        return new CallFault(false, false, call -> unreachable(call, "no answer in time, as scripted"));
    }

    /**
     * The call takes effect, but its answer is lost on the way back; the caller sees what {@link #timeout()} shows.
     *
     * @return the fault
     */
    public static CallFault lostAnswer() {
        return new CallFault(true, false, call -> unreachable(call, "no answer in time, as scripted"));
    }

    /**
     * The call hangs and never returns, as when neither side has a time-out, unless its thread is interrupted: then it fails
     * as {@link #timeout()} does.
     *
     * <p>The {@link dev.tuna.testkit.time.VirtualTime} has to be one that {@linkplain
     * dev.tuna.testkit.time.VirtualTime#letTasksHang() lets tasks hang}, and the call has to be made by one of its tasks.
     *
     * @param takesEffect whether the cloud has done what was asked
     * @return the fault
     */
    public static CallFault neverReturns(boolean takesEffect) {
        return new CallFault(takesEffect, true, call -> unreachable(call, "interrupted while it hung, as scripted"));
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

    boolean hangs() {
        return hangs;
    }

    RuntimeException failure(CloudCall call) {
        return failure.apply(call);
    }
}
