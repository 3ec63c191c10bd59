package dev.tuna.api;

import java.net.URI;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * A handle on one deployment. Thread-safe; every answer is the state at the time of the call.
 *
 * <p>The handle stays usable after the deployment has ended; it then reports {@link DeploymentPhase#DESTROYED}.
 */
public interface Deployment {

    /**
     * The name, unique among live deployments.
     *
     * @return the service name
     */
    String name();

    /**
     * What was asked for, with the name filled in; while a changed request is rolled out, still the one that serves.
     *
     * @return the request
     */
    DeployRequest request();

    /**
     * The base URL for OpenAI clients, ending in {@code /v1}. It answers from the moment {@code deploy} returns: until
     * a backend serves, requests wait.
     *
     * @return for instance {@code http://127.0.0.1:8080/v1}
     */
    URI endpoint();

    /**
     * The key that clients send as {@code Authorization: Bearer}.
     *
     * @return the key; empty with {@link DeployRequest#publicAccess()}
     */
    Optional<Secret> apiKey();

    /**
     * What the endpoint shows, where it has a certificate of its own that clients are to believe; no secret.
     *
     * @return PEM; empty if the endpoint speaks plain HTTP
     */
    default Optional<String> certificate() {
        return Optional.empty();
    }

    /**
     * Everything known about the deployment now.
     *
     * @return a snapshot
     */
    DeploymentStatus status();

    /**
     * What the deployment has cost so far, beside what the same traffic would have cost elsewhere.
     *
     * @return a report up to now
     */
    CostReport cost();

    /**
     * Completes when the first backend has passed a real readiness request.
     *
     * @return completes with this handle, or exceptionally with a {@link TunaException} when the deployment failed
     */
    CompletableFuture<Deployment> ready();

    /**
     * Completes when the last change that was asked for has ended, either way; at once when none is under way. A roll that
     * an earlier process began counts.
     *
     * @return completes with how it ended, or exceptionally with a {@link TunaException} of code {@link ErrorCode#CLOSED}
     *     when this process stops looking after it; the next one goes on
     */
    CompletableFuture<RollReport> rolled();

    /**
     * Tears everything down: drains, deletes every resource, verifies with the clouds, and takes the endpoint away
     * last. Calling it again joins the destroy that runs.
     *
     * @return completes when the clouds have confirmed that nothing is left
     */
    CompletableFuture<DestroyReport> destroy();
}
