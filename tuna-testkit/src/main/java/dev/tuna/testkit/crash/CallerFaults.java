package dev.tuna.testkit.crash;

import java.util.Optional;

/** Decides at which calls to a cloud the caller dies. Called by several threads at once. */
@FunctionalInterface
public interface CallerFaults {

    /** Nobody dies. */
    CallerFaults NONE = call -> Optional.empty();

    /**
     * Looks at a call before it is carried out.
     *
     * @param call what is called: method and path, for instance {@code POST /v1/replicas}, or the words of a command
     * @return how its caller dies; empty if it lives
     */
    Optional<CallerDeath> faultOf(String call);
}
