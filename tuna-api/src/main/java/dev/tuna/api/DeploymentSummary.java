package dev.tuna.api;

import java.time.Instant;
import java.util.Objects;

/**
 * A deployment in one line, as the store has it.
 *
 * @param name its name
 * @param phase where it is in its life
 * @param model what it serves, or served
 * @param gpu which GPU
 * @param gpuCount GPUs of one machine
 * @param backends endpoints and replicas that are there or on their way; 0 if it is over
 * @param createdAt when it was asked for
 * @param updatedAt when it was stored last; if it is over, when it ended
 */
public record DeploymentSummary(
        String name,
        DeploymentPhase phase,
        String model,
        String gpu,
        int gpuCount,
        int backends,
        Instant createdAt,
        Instant updatedAt) {

    /** Checks that every part is there. */
    public DeploymentSummary {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(phase, "phase");
        Objects.requireNonNull(model, "model");
        Objects.requireNonNull(gpu, "gpu");
        Objects.requireNonNull(createdAt, "createdAt");
        Objects.requireNonNull(updatedAt, "updatedAt");
    }
}
