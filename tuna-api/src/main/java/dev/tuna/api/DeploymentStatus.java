package dev.tuna.api;

import java.net.URI;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Everything known about a deployment at one moment. Immutable.
 *
 * @param name the service name
 * @param phase where it is in its life
 * @param endpoint the base URL for OpenAI clients
 * @param spotState what the fleet can do now
 * @param backends its serverless endpoints and replicas, gone ones left out
 * @param traffic counts since the deployment began
 * @param createdAt when it was asked for
 * @param problems what is wrong at the moment, one sentence each; empty when all is well
 * @param roll the changed request that is being brought up, if there is one
 */
public record DeploymentStatus(
        String name,
        DeploymentPhase phase,
        URI endpoint,
        SpotState spotState,
        List<BackendStatus> backends,
        TrafficStats traffic,
        Instant createdAt,
        List<String> problems,
        Optional<Roll> roll) {

    /** Copies collections. */
    public DeploymentStatus {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(phase, "phase");
        Objects.requireNonNull(endpoint, "endpoint");
        Objects.requireNonNull(spotState, "spotState");
        backends = List.copyOf(backends);
        Objects.requireNonNull(traffic, "traffic");
        Objects.requireNonNull(createdAt, "createdAt");
        problems = List.copyOf(problems);
        Objects.requireNonNull(roll, "roll");
    }

    /**
     * A changed request on its way. Its backends are among {@link DeploymentStatus#backends()}; they take requests from the
     * moment when it replaces the one that serves.
     *
     * @param revision number of the request, 2 or more; its backends' names begin with {@code r} and this number
     * @param request what was asked for
     * @param startedAt when it was asked for
     * @param deadline when it is given up, if it does not serve by then; a restart gives it its whole time anew
     */
    public record Roll(int revision, DeployRequest request, Instant startedAt, Instant deadline) {

        /** Checks that every part is there. */
        public Roll {
            Objects.requireNonNull(request, "request");
            Objects.requireNonNull(startedAt, "startedAt");
            Objects.requireNonNull(deadline, "deadline");
        }
    }

    /**
     * One serverless endpoint or replica.
     *
     * @param id its name inside the deployment
     * @param provider who runs it
     * @param tier what kind of machine
     * @param phase how far it has come
     * @param detail what it is doing or why it failed, in a few words; may be empty
     * @param location region, zone and machine type as far as known; may be empty
     * @param containers containers or workers running, for serverless endpoints whose provider tells; replicas count 1
     * @param inFlight requests that it serves now
     * @param startedAt when it was asked for
     * @param interruptionAt when the cloud will take it, if it said so
     * @param rebalanceAt when the cloud recommended to leave this machine, since the risk that it takes it is higher than
     *     usual; empty if it did not
     * @param gpu what the GPUs of a replica do; empty if unknown, as it always is of a serverless endpoint
     */
    public record BackendStatus(
            String id,
            String provider,
            Tier tier,
            BackendPhase phase,
            String detail,
            String location,
            int containers,
            int inFlight,
            Instant startedAt,
            Optional<Instant> interruptionAt,
            Optional<Instant> rebalanceAt,
            Optional<GpuUse> gpu) {

        /** Checks that every part is there. */
        public BackendStatus {
            Objects.requireNonNull(id, "id");
            Objects.requireNonNull(provider, "provider");
            Objects.requireNonNull(tier, "tier");
            Objects.requireNonNull(phase, "phase");
            Objects.requireNonNull(detail, "detail");
            Objects.requireNonNull(location, "location");
            Objects.requireNonNull(startedAt, "startedAt");
            Objects.requireNonNull(interruptionAt, "interruptionAt");
            Objects.requireNonNull(rebalanceAt, "rebalanceAt");
            Objects.requireNonNull(gpu, "gpu");
        }

        /**
         * One that its cloud does not recommend to leave, and that tells nothing of GPUs.
         *
         * @param id its name inside the deployment
         * @param provider who runs it
         * @param tier what kind of machine
         * @param phase how far it has come
         * @param detail what it is doing or why it failed, in a few words; may be empty
         * @param location region, zone and machine type as far as known; may be empty
         * @param containers containers or workers running
         * @param inFlight requests that it serves now
         * @param startedAt when it was asked for
         * @param interruptionAt when the cloud will take it, if it said so
         */
        public BackendStatus(
                String id,
                String provider,
                Tier tier,
                BackendPhase phase,
                String detail,
                String location,
                int containers,
                int inFlight,
                Instant startedAt,
                Optional<Instant> interruptionAt) {
            this(
                    id,
                    provider,
                    tier,
                    phase,
                    detail,
                    location,
                    containers,
                    inFlight,
                    startedAt,
                    interruptionAt,
                    Optional.empty(),
                    Optional.empty());
        }
    }

    /**
     * Requests as clients saw them: each client request counts once, however many attempts it took. An accepted request is
     * always in one place: requests = succeeded + failed + clientErrors + inFlight + waiting.
     *
     * @param requests accepted requests, finished or not
     * @param succeeded answered with success, streams to their proper end
     * @param failed answered with an error of our side's making
     * @param rejected turned away because too many were in flight; not among {@code requests}
     * @param clientErrors ended by the client: answered 4xx for a fault of its own, or it left before the end
     * @param failedOver answered by another backend than the first one tried
     * @param inFlight being served now
     * @param waiting waiting for a backend to come up
     * @param byTier succeeded requests by the tier that answered
     */
    public record TrafficStats(
            long requests,
            long succeeded,
            long failed,
            long rejected,
            long clientErrors,
            long failedOver,
            int inFlight,
            int waiting,
            Map<Tier, Long> byTier) {

        /** No traffic yet. */
        public static final TrafficStats NONE = new TrafficStats(0, 0, 0, 0, 0, 0, 0, 0, Map.of());

        /** Copies the map. */
        public TrafficStats {
            byTier = Map.copyOf(byTier);
        }
    }
}
