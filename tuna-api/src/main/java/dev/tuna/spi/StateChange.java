package dev.tuna.spi;

import java.util.List;

/**
 * What is to be stored together.
 *
 * @param deployments records to insert or replace, by id
 * @param resources records to insert or replace, by key
 * @param ledger entries to append
 */
public record StateChange(
        List<DeploymentRecord> deployments, List<ResourceRecord> resources, List<LedgerEntry> ledger) {

    /** Copies the lists. */
    public StateChange {
        deployments = List.copyOf(deployments);
        resources = List.copyOf(resources);
        ledger = List.copyOf(ledger);
    }

    /**
     * A change of one deployment.
     *
     * @param deployment the record
     * @return the change
     */
    public static StateChange of(DeploymentRecord deployment) {
        return new StateChange(List.of(deployment), List.of(), List.of());
    }

    /**
     * A change of one resource.
     *
     * @param resource the record
     * @return the change
     */
    public static StateChange of(ResourceRecord resource) {
        return new StateChange(List.of(), List.of(resource), List.of());
    }
}
