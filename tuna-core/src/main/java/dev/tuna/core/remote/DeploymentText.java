package dev.tuna.core.remote;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.ErrorCode;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a handle on a deployment is made of, its key left out. Made without asking anybody, since whoever wants to know which
 * deployments there are cannot wait for machines. Immutable.
 *
 * @param endpoint empty if it has to be waited for
 * @param certificate empty if there is none, or it has to be waited for
 * @param elsewhere whether others look after it: then there may be more to know than this
 */
record DeploymentText(
        String name, DeployRequest request, Optional<URI> endpoint, Optional<String> certificate, boolean elsewhere) {

    static DeploymentText of(Deployment deployment) {
        return deployment instanceof ElsewhereDeployment there
                ? new DeploymentText(there.name(), there.knownRequest(), there.knownEndpoint(), Optional.empty(), true)
                : new DeploymentText(
                        deployment.name(),
                        deployment.request(),
                        Optional.of(deployment.endpoint()),
                        deployment.certificate(),
                        false);
    }

    static List<DeploymentText> of(List<Deployment> deployments) {
        return deployments.stream().flatMap(DeploymentText::ifLive).toList();
    }

    /** It may have come to its end since it was listed. */
    private static Stream<DeploymentText> ifLive(Deployment deployment) {
        try {
            return Stream.of(of(deployment));
        } catch (ConfigurationException e) {
            if (e.code() == ErrorCode.NO_SUCH_DEPLOYMENT) {
                return Stream.empty();
            }
            throw e;
        }
    }
}
