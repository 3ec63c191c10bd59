package dev.tuna.examples.command;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.DeploymentStatus.BackendStatus;
import dev.tuna.api.Tier;
import java.util.List;
import java.util.function.Predicate;

/**
 * How far the two parts of a deployment have come.
 *
 * @param serverless the endpoints
 * @param replicas the rented machines
 */
record Parts(Progress serverless, Progress replicas) {

    /** How far one part has come. */
    enum Progress {
        /** It was not asked for. */
        UNWANTED,
        /** It is on its way. */
        COMING,
        /** It is up. */
        UP,
        /** Some of it is up, and there is a reason why the rest is not there. */
        PARTLY,
        /** It is not there, and there is a reason. */
        MISSING
    }

    static Parts of(DeploymentStatus status, DeployRequest request) {
        boolean rents = request.effectiveScaling().spot().maxReplicas() > 0;
        return new Parts(
                serverless(status, request),
                rents ? progress(status, backend -> backend.tier() != Tier.SERVERLESS) : Progress.UNWANTED);
    }

    /** Each provider that was named is to have an endpoint; else one is enough. */
    private static Progress serverless(DeploymentStatus status, DeployRequest request) {
        if (request.serverlessProviders().isEmpty()) {
            return progress(status, backend -> backend.tier() == Tier.SERVERLESS);
        }
        List<Progress> each = request.serverlessProviders().stream()
                .map(name -> progress(
                        status,
                        backend -> backend.tier() == Tier.SERVERLESS
                                && backend.provider().equals(name)))
                .toList();
        if (each.contains(Progress.COMING)) {
            return Progress.COMING;
        }
        if (!each.contains(Progress.MISSING)) {
            return Progress.UP;
        }
        return each.contains(Progress.UP) ? Progress.PARTLY : Progress.MISSING;
    }

    private static Progress progress(DeploymentStatus status, Predicate<BackendStatus> part) {
        if (status.backends().stream().filter(part).anyMatch(backend -> backend.phase() == BackendPhase.READY)) {
            return Progress.UP;
        }
        boolean coming = status.backends().stream()
                .filter(part)
                .anyMatch(backend -> backend.phase() != BackendPhase.FAILED && backend.phase() != BackendPhase.GONE);
        boolean over = status.phase() == DeploymentPhase.FAILED;
        return over || (!coming && !status.problems().isEmpty()) ? Progress.MISSING : Progress.COMING;
    }

    /** Whether nothing is to be waited for. */
    boolean settled() {
        return serverless != Progress.COMING && replicas != Progress.COMING;
    }

    int exitCode() {
        boolean serverlessMissing = serverless == Progress.MISSING;
        boolean replicasMissing = replicas == Progress.MISSING;
        if (serverlessMissing && replicas != Progress.UP && replicas != Progress.COMING) {
            return ExitCode.FAILED;
        }
        return serverlessMissing || replicasMissing || serverless == Progress.PARTLY ? ExitCode.PARTLY : ExitCode.DONE;
    }
}
