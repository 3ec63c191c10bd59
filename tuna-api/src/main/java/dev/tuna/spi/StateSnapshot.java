package dev.tuna.spi;

import java.util.List;

/**
 * What a store knows that is not over.
 *
 * @param deployments those neither destroyed nor failed for good
 * @param resources those not known to be gone, in the order in which they were first stored
 */
public record StateSnapshot(List<DeploymentRecord> deployments, List<ResourceRecord> resources) {

    /** Copies the lists. */
    public StateSnapshot {
        deployments = List.copyOf(deployments);
        resources = List.copyOf(resources);
    }
}
