package dev.tuna.testkit.cloud.simulated;

import java.util.Optional;

/** Decides which calls go wrong. */
@FunctionalInterface
public interface FaultScript {

    /** Nothing goes wrong. */
    FaultScript NONE = call -> Optional.empty();

    /**
     * Looks at a call before it is carried out.
     *
     * @param call the call
     * @return what goes wrong with it; empty if nothing
     */
    Optional<CallFault> faultOf(CloudCall call);

    /**
     * One call goes wrong.
     *
     * @param number {@link CloudCall#number()}
     * @param fault in which way
     * @return the script
     */
    static FaultScript onCall(long number, CallFault fault) {
        return call -> call.number() == number ? Optional.of(fault) : Optional.empty();
    }

    /**
     * One call of an operation goes wrong.
     *
     * @param operation which
     * @param nth {@link CloudCall#nth()}
     * @param fault in which way
     * @return the script
     */
    static FaultScript onCall(CloudCall.Operation operation, long nth, CallFault fault) {
        return call -> call.operation() == operation && call.nth() == nth ? Optional.of(fault) : Optional.empty();
    }

    /**
     * Every call of an operation goes wrong.
     *
     * @param operation which
     * @param fault in which way
     * @return the script
     */
    static FaultScript onEvery(CloudCall.Operation operation, CallFault fault) {
        return call -> call.operation() == operation ? Optional.of(fault) : Optional.empty();
    }

    /**
     * Both scripts in one; where both have a fault, this one's counts.
     *
     * @param other the other
     * @return the script
     */
    default FaultScript and(FaultScript other) {
        return call -> faultOf(call).or(() -> other.faultOf(call));
    }
}
