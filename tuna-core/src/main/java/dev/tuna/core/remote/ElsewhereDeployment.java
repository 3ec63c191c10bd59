package dev.tuna.core.remote;

import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import java.net.URI;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * A handle on a deployment that others look after, or will. Its own methods wait for them; these tell what can be told without
 * asking anybody, and what has to be waited for as something that comes later.
 */
public interface ElsewhereDeployment extends Deployment {

    /**
     * What was asked for when it was handed over.
     *
     * @return with the name filled in
     */
    DeployRequest knownRequest();

    /**
     * The base URL for clients.
     *
     * @return empty while there is none
     */
    Optional<URI> knownEndpoint();

    /**
     * The base URL for clients.
     *
     * @return completes when there is one
     */
    CompletableFuture<URI> endpointLater();

    /**
     * What the endpoint shows.
     *
     * @return completes when it is looked after there
     */
    CompletableFuture<Optional<String>> certificateLater();
}
