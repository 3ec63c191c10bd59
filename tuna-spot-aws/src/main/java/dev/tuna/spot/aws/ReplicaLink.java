package dev.tuna.spot.aws;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.GpuUse;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ReplicaSpec;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** What machines boot with, and what they say afterwards. Thread-safe. */
interface ReplicaLink extends AutoCloseable {

    /**
     * What a machine runs at its first boot. Pure: equal for equal arguments; names secrets and holds none.
     *
     * @param spec what is to run
     * @param options what the request says
     * @param ownerId the installation
     * @return a text, kept in the plan, that {@link #userData} makes user data of
     * @throws dev.tuna.api.ConfigurationException if the engine cannot be run as asked
     */
    String bootText(ReplicaSpec spec, AwsOptions options, String ownerId);

    /**
     * Makes the user data of one replica, with what only that replica gets. Equal for equal arguments, over restarts too, so
     * that a launch can be sent again.
     *
     * @param bootText of {@link #bootText}
     * @param deployment the deployment's name
     * @param token the replica's token
     * @return at most 16 KiB, as the machine is to read it
     */
    byte[] userData(String bootText, String deployment, String token);

    /**
     * What a running machine says of itself, at once: what it said last.
     *
     * @param machine a running machine
     * @return empty while it has not said anything
     */
    Optional<Report> look(Machine machine);

    /** Whether a machine did not answer when it was looked at last; false if it never was. */
    boolean isSilent(String instanceId);

    /** Forgets what was kept for a replica that is gone for good. One that is not known is fine. */
    void forget(String deployment, String token);

    /** Forgets what was kept for a deployment. One that is not known is fine. */
    void forget(String deployment);

    @Override
    void close();

    /** Makes links. */
    @FunctionalInterface
    interface Maker {

        /**
         * A link for an opened cloud; contacts nobody.
         *
         * @param context owner, secrets and clock
         */
        ReplicaLink make(ProviderContext context);
    }

    /**
     * A machine as EC2 and its tags tell.
     *
     * @param region where it is
     * @param instanceId {@code i-...}
     * @param deployment the deployment's name
     * @param token the replica's token
     * @param host address or name to connect to
     * @param port the one port that is open
     * @param engineKey the key that its engine demands, if any
     * @param secrets environment variables that are given to it once it is known who it is
     */
    record Machine(
            String region,
            String instanceId,
            String deployment,
            String token,
            String host,
            int port,
            Optional<SecretRef> engineKey,
            Map<String, SecretRef> secrets) {

        public Machine {
            Objects.requireNonNull(region, "region");
            Objects.requireNonNull(instanceId, "instanceId");
            Objects.requireNonNull(deployment, "deployment");
            Objects.requireNonNull(token, "token");
            Objects.requireNonNull(host, "host");
            Objects.requireNonNull(engineKey, "engineKey");
            secrets = Map.copyOf(secrets);
        }
    }

    /**
     * What a machine said.
     *
     * @param phase how far it has come, {@code BOOTING} to {@code FAILED}
     * @param detail in a few words; may be empty
     * @param address where requests go, once known
     * @param interruptionAt when EC2 will take it, if it gave notice
     * @param rebalanceAt when EC2 recommended to leave it, if it did
     * @param gpu what its GPUs do; empty while that is not known
     */
    record Report(
            BackendPhase phase,
            String detail,
            Optional<BackendAddress> address,
            Optional<Instant> interruptionAt,
            Optional<Instant> rebalanceAt,
            Optional<GpuUse> gpu) {

        public Report {
            Objects.requireNonNull(phase, "phase");
            Objects.requireNonNull(detail, "detail");
            Objects.requireNonNull(address, "address");
            Objects.requireNonNull(interruptionAt, "interruptionAt");
            Objects.requireNonNull(rebalanceAt, "rebalanceAt");
            Objects.requireNonNull(gpu, "gpu");
        }

        /** What one says that cannot serve, or does not answer. */
        static Report only(BackendPhase phase, String detail) {
            return new Report(phase, detail, Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
        }
    }
}
