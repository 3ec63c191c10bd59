package dev.tuna.provider.runpod;

import dev.tuna.api.BackendPhase;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.UnservedAnswer;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Puts a look at an endpoint into the words of the interface. Pure. */
final class Observations {

    /** Long enough for a worker that is replaced, short enough for a model that can never load. */
    private static final Duration BROKEN = Duration.ofMinutes(3);

    /**
     * What the load balancer answers when no worker has taken a request: after two minutes, or at once. The status is
     * documented (docs.runpod.io/serverless/load-balancing/overview), the texts are as others have seen them.
     */
    private static final List<UnservedAnswer> BALANCER = List.of(
            new UnservedAnswer(400, "timed out waiting for worker", Duration.ofSeconds(1)),
            new UnservedAnswer(400, "no workers available", Duration.ofSeconds(5)));

    /** RunPod's worker puts errors of its own into answers of status 200; its vLLM has failed then, or never come up. */
    private static final List<UnservedAnswer> QUEUE = List.of(
            new UnservedAnswer(200, "\"type\":\"worker_error\"", Duration.ZERO),
            new UnservedAnswer(200, "\"type\": \"worker_error\"", Duration.ZERO));

    private Observations() {}

    static ServerlessObservation of(
            TrackedEndpoint.Look look, URI serverlessUrl, Credential credential, GpuCatalog catalog) {
        Endpoint endpoint = look.endpoint();
        BackendPhase phase = phase(look);
        return new ServerlessObservation(
                phase,
                detail(phase, look),
                address(endpoint, serverlessUrl, credential),
                OptionalInt.of(look.workers().billed()),
                Optional.empty(),
                endpoint.usdPerHour(catalog));
    }

    private static BackendPhase phase(TrackedEndpoint.Look look) {
        Workers workers = look.workers();
        if (look.endpoint().isParked()) {
            return BackendPhase.DRAINING;
        }
        if (look.endpoint().workersMax() == 0 || look.brokenFor().compareTo(BROKEN) >= 0) {
            return BackendPhase.FAILED;
        }
        // A sleeping endpoint is ready, and so is one that wakes: routing it is what wakes it.
        if (look.started()) {
            return BackendPhase.READY;
        }
        if (workers.booting() > 0) {
            return BackendPhase.ENGINE;
        }
        if (workers.starting() > 0) {
            return BackendPhase.IMAGE;
        }
        return workers.unhealthy() > 0 ? BackendPhase.BOOTING : BackendPhase.REQUESTED;
    }

    private static String detail(BackendPhase phase, TrackedEndpoint.Look look) {
        if (look.endpoint().isParked()) {
            return "parked";
        }
        if (look.endpoint().workersMax() == 0) {
            return "workers.max is 0: RunPod lets it have no workers, because they kept failing or nothing was asked of it";
        }
        if (phase == BackendPhase.FAILED) {
            return "no worker has been healthy for " + look.brokenFor().toMinutes() + " minutes; see its logs at"
                    + " https://console.runpod.io/serverless/user/endpoint/"
                    + look.endpoint().id();
        }
        return look.workers().ready() > 0 ? "" : look.workers().text();
    }

    private static Optional<BackendAddress> address(Endpoint endpoint, URI serverlessUrl, Credential credential) {
        if (endpoint.isQueue()) {
            return Optional.of(new BackendAddress(
                            URI.create(serverlessUrl + "/v2/" + endpoint.id() + "/openai"),
                            Optional.of(credential),
                            "/v1/models",
                            endpoint.timeout(),
                            0)
                    .withUnserved(QUEUE));
        }
        return endpoint.base()
                .map(base -> new BackendAddress(
                                URI.create(base),
                                Optional.of(credential),
                                "/health",
                                Optional.of(shorter(endpoint.timeout())),
                                endpoint.requestsPerWorker() * endpoint.workersMax())
                        .withUnserved(BALANCER));
    }

    private static Duration shorter(Optional<Duration> timeout) {
        return timeout.filter(time -> time.compareTo(EndpointPlanner.LOAD_BALANCER_LIMIT) < 0)
                .orElse(EndpointPlanner.LOAD_BALANCER_LIMIT);
    }
}
