package dev.tuna.core.control;

import dev.tuna.api.DeployRequest;
import dev.tuna.api.DeploymentSummary;
import dev.tuna.core.config.RequestJson;
import dev.tuna.spi.DeploymentRecord;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.spi.StateSnapshot;
import dev.tuna.spi.StateStore;
import java.util.List;
import java.util.stream.Stream;

/** Deployments in one line each, read from the store. */
public final class Summaries {

    private Summaries() {}

    /**
     * What the store knows, whoever controls it. Asks no provider anything.
     *
     * @param store read only
     * @param over how many of those that are over, 0 or more
     * @return those that live, oldest first, then those that are over, newest first
     */
    public static List<DeploymentSummary> of(StateStore store, int over) {
        StateSnapshot snapshot = store.load();
        Stream<DeploymentSummary> live = snapshot.deployments().stream()
                .filter(Records::isCurrent)
                .map(record -> summary(record, (int) snapshot.resources().stream()
                        .filter(resource -> isBackend(resource, record))
                        .count()));
        Stream<DeploymentSummary> ended = over == 0
                ? Stream.of()
                : new History(store).newest(over, Records::isCurrent).stream().map(record -> summary(record, 0));
        return Stream.concat(live, ended).toList();
    }

    private static boolean isBackend(ResourceRecord resource, DeploymentRecord record) {
        return resource.tier().isPresent()
                && resource.state() != ResourceRecord.State.GONE
                && resource.deploymentId().equals(record.id());
    }

    private static DeploymentSummary summary(DeploymentRecord record, int backends) {
        DeployRequest request = RequestJson.read(record.request(), "request of deployment '" + record.name() + "'");
        return new DeploymentSummary(
                Records.service(record),
                record.phase(),
                request.model(),
                request.gpu(),
                request.gpuCount(),
                backends,
                record.createdAt(),
                record.updatedAt());
    }
}
