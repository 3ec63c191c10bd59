package dev.tuna.core.autoscale;

import java.util.Objects;

/**
 * What the autoscaler decided.
 *
 * @param target replicas to be had, within the policy's limits
 * @param wanted replicas that the traffic asks for, whatever the limits and delays
 * @param memory to be handed to the next decision
 */
public record ScalingDecision(int target, int wanted, ScalingMemory memory) {

    /** Checks that the memory is there. */
    public ScalingDecision {
        Objects.requireNonNull(memory, "memory");
    }
}
