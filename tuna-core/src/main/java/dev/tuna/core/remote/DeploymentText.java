package dev.tuna.core.remote;

import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import java.net.URI;
import java.util.Optional;

/** What a handle on a deployment is made of, its key left out. Immutable. */
record DeploymentText(String name, DeployRequest request, URI endpoint, Optional<String> certificate) {

    static DeploymentText of(Deployment deployment) {
        return new DeploymentText(
                deployment.name(), deployment.request(), deployment.endpoint(), deployment.certificate());
    }
}
