package dev.tuna.examples.command;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.DeploymentStatus.BackendStatus;
import dev.tuna.api.Tier;
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
        /** It is not there, and there is a reason. */
        MISSING
    }

    static Parts of(DeploymentStatus status, DeployRequest request) {
        boolean rents = request.effectiveScaling().spot().maxReplicas() > 0;
        return new Parts(
                progress(status, backend -> backend.tier() == Tier.SERVERLESS),
                rents ? progress(status, backend -> backend.tier() != Tier.SERVERLESS) : Progress.UNWANTED);
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
        return serverlessMissing || replicasMissing ? ExitCode.PARTLY : ExitCode.DONE;
    }
}
