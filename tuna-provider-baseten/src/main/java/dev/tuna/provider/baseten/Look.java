package dev.tuna.provider.baseten;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What a look at a model shows.
 *
 * @param modelId Baseten's id
 * @param deployments all of them, oldest first; empty if none shows yet
 * @param served whether one has served before
 * @param since how long the newest has had its status, as far as was seen
 * @param age how long ago the model was made
 * @param log the end of the log of the newest, if it failed; may be empty
 * @param trouble what could not be put right; may be empty
 */
record Look(
        String modelId,
        List<Deployment> deployments,
        boolean served,
        Duration since,
        Duration age,
        String log,
        String trouble) {

    Look {
        deployments = List.copyOf(deployments);
    }

    Look troubledBy(String what) {
        return new Look(modelId, deployments, served, since, age, log, what);
    }

    /** The one that was pushed last, of those that Tuna pushed if there are any. */
    Optional<Deployment> newest() {
        return newest(deployments);
    }

    static Optional<Deployment> newest(List<Deployment> oldestFirst) {
        Optional<Deployment> ours =
                oldestFirst.stream().filter(Deployment::isOurs).reduce((earlier, later) -> later);
        return ours.isPresent() ? ours : oldestFirst.stream().reduce((earlier, later) -> later);
    }

    /** The one that environment {@code production} points to. */
    Optional<Deployment> production() {
        return deployments.stream().filter(Deployment::isProduction).findFirst();
    }

    /** Whether requests to environment {@code production} are answered. */
    boolean productionServes() {
        return production().filter(this::serves).isPresent();
    }

    /** Whether requests are answered; settings that are being changed do not keep a deployment from that. */
    boolean serves(Deployment deployment) {
        return deployment.isServing() || (deployment.isUpdating() && (served || deployment.replicas() > 0));
    }
}
