package dev.tuna.testkit.cloud.process;

import java.util.Optional;

/** Decides at which calls to the cloud's API the caller dies. Called by several threads at once. */
@FunctionalInterface
public interface CallerFaults {

    /** Nobody dies. */
    CallerFaults NONE = call -> Optional.empty();

    /**
     * Looks at a call before it is carried out.
     *
     * @param call method and path, for instance {@code POST /v1/replicas}
     * @return how its caller dies; empty if it lives
     */
    Optional<CallerDeath> faultOf(String call);
}
