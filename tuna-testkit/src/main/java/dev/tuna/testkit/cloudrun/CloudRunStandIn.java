package dev.tuna.testkit.cloudrun;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.Secret;
import dev.tuna.testkit.crash.CallerFaults;
import dev.tuna.testkit.vendor.VendorExchange;
import dev.tuna.testkit.vendor.VendorFault;
import dev.tuna.testkit.vendor.VendorServer;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Google Cloud Run on loopback ports, as far as services with GPUs go: the calls of its Admin API, of the APIs about projects
 * (state, billing, enabled APIs, rights, quotas, prices, metrics), and all ways to tokens. Services are deployed, updated and
 * woken as real ones are, guard themselves with ID tokens, and serve with a {@link dev.tuna.testkit.vllm.VllmStandIn}.
 *
 * <p>Where it differs from Google: all APIs are on one port; each service has a port of its own instead of a host. What ID
 * tokens are signed with is its own secret. Thread-safe.
 */
public final class CloudRunStandIn implements AutoCloseable {

    private final Project project;
    private final VendorServer server;

    private CloudRunStandIn(Builder builder) {
        project = new Project(builder);
        server = VendorServer.start(new GoogleRoutes(project)::handle);
    }

    /**
     * Begins to configure a stand-in.
     *
     * @return a builder with every default set
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Where Google's APIs are.
     *
     * @return {@code http://127.0.0.1:port}
     */
    public URI uri() {
        return server.uri();
    }

    /**
     * What the provider must be told to use it.
     *
     * @return setting to value
     */
    public Map<String, String> settings() {
        return Map.of(
                "api_url",
                uri().toString(),
                "hub_url",
                uri() + GoogleRoutes.HUB,
                "project",
                project.id(),
                "observe_interval_seconds",
                "0");
    }

    /**
     * The service account's address.
     *
     * @return an e-mail address
     */
    public String account() {
        return project.account();
    }

    /**
     * A service account's key file.
     *
     * @return JSON
     */
    public Secret serviceAccountKey() {
        ObjectNode file = StandInService.JSON.createObjectNode();
        file.put("type", "service_account").put("project_id", project.id());
        file.put("private_key_id", "standin")
                .put("private_key", project.tokens().privateKey());
        file.put("client_email", account()).put("client_id", "1");
        file.put("token_uri", uri() + "/token");
        return Secret.of(file.toString());
    }

    /**
     * What {@code gcloud auth application-default login} leaves behind.
     *
     * @return JSON
     */
    public Secret userLogin() {
        return Secret.of(userFile().toString());
    }

    private ObjectNode userFile() {
        ObjectNode file = StandInService.JSON.createObjectNode();
        file.put("type", "authorized_user").put("client_id", TokenRoutes.CLIENT_ID);
        file.put("client_secret", "standin-client-secret").put("refresh_token", TokenRoutes.REFRESH_TOKEN);
        return file.put("token_uri", uri() + "/token");
    }

    /**
     * What {@code gcloud auth application-default login --impersonate-service-account} leaves behind.
     *
     * @param account the service account to act as
     * @return JSON
     */
    public Secret impersonatedLogin(String account) {
        ObjectNode file = StandInService.JSON.createObjectNode();
        file.put("type", "impersonated_service_account");
        file.put(
                "service_account_impersonation_url",
                "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/" + account
                        + ":generateAccessToken");
        file.putArray("delegates");
        file.set("source_credentials", userFile());
        return Secret.of(file.toString());
    }

    /**
     * What a machine of another cloud has, by workload identity federation.
     *
     * @param token file with the other cloud's token; its content is written by this method
     * @return JSON
     * @throws IOException if the file cannot be written
     */
    public Secret federatedLogin(Path token) throws IOException {
        Files.writeString(token, TokenRoutes.FOREIGN_TOKEN);
        ObjectNode file = StandInService.JSON.createObjectNode();
        file.put("type", "external_account");
        file.put(
                "audience",
                "//iam.googleapis.com/projects/" + Project.NUMBER
                        + "/locations/global/workloadIdentityPools/pool/providers/other");
        file.put("subject_token_type", "urn:ietf:params:oauth:token-type:jwt");
        file.put("token_url", "https://sts.googleapis.com/v1/token");
        file.putObject("credential_source").put("file", token.toString());
        return Secret.of(file.toString());
    }

    /**
     * Every access token and ID token that was ever given out.
     *
     * @return a snapshot
     */
    public Set<String> tokens() {
        return project.tokens().minted();
    }

    /**
     * Adds a fault behind those in force; paths are those of Google's APIs.
     *
     * @param fault what to do wrong from now on
     */
    public void inject(VendorFault fault) {
        server.inject(fault);
    }

    /**
     * Decides at which requests the caller dies.
     *
     * @param faults asked with each {@code METHOD /path}
     */
    public void callers(CallerFaults faults) {
        server.callers(faults);
    }

    /** Drops the faults that have not happened yet. */
    public void clearFaults() {
        server.clearFaults();
    }

    /**
     * Every exchange with the APIs so far.
     *
     * @return a snapshot
     */
    public List<VendorExchange> exchanges() {
        return server.exchanges();
    }

    /**
     * The services that there are.
     *
     * @return their short names
     */
    public List<String> services() {
        return project.services().stream()
                .filter(service -> !service.isGone())
                .map(StandInService::shortName)
                .toList();
    }

    /**
     * The revisions that were ever made of a service.
     *
     * @param service the service's short name
     * @return how many
     */
    public int revisions(String service) {
        return named(service).revisions();
    }

    /**
     * How many instances of a service run.
     *
     * @param service the service's short name
     * @return zero or more
     */
    public int instances(String service) {
        return named(service).instances();
    }

    /**
     * Who may call a service, by the role {@code roles/run.invoker}.
     *
     * @param service the service's short name
     * @return members such as {@code serviceAccount:…}
     */
    public Set<String> invokers(String service) {
        return named(service).invokers();
    }

    /**
     * What an idle quarter of an hour does: the service has no instance any more.
     *
     * @param service the service's short name
     */
    public void scaleToZero(String service) {
        named(service).scaleToZero();
    }

    /**
     * Makes the next revisions fail.
     *
     * @param trouble what is wrong with them
     * @param revisions how many
     */
    public void trouble(Trouble trouble, int revisions) {
        project.config().trouble(trouble, revisions);
    }

    /** Lets no revision come up and no deletion end until {@link #release()}. */
    public void hold() {
        project.config().held = true;
    }

    /** Lets go on what {@link #hold()} held back. */
    public void release() {
        project.config().held = false;
    }

    private StandInService named(String service) {
        return project.services().stream()
                .filter(each -> each.shortName().equals(service))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no service '" + service + "'"));
    }

    /** What can be wrong with a new revision. */
    public enum Trouble {
        /** Nothing. */
        NONE,
        /** Its image is not there. */
        NO_IMAGE,
        /** Its container starts and does not listen in time. */
        DOES_NOT_LISTEN,
        /** The region has no GPU for it. */
        NO_CAPACITY,
        /** The region's quota is used up. */
        NO_QUOTA,
        /** It never gets further than importing its image. */
        STUCK
    }

    /** Stops everything; may be called twice. */
    @Override
    public void close() {
        server.close();
        project.services().forEach(StandInService::close);
    }

    /** Describes a stand-in. Not thread-safe but for what happens after the start. */
    public static final class Builder {
        String project = "tuna-standin";
        Duration bootTime = Duration.ofMillis(200);
        Duration deleteTime = Duration.ofMillis(100);
        Duration accessDelay = Duration.ZERO;
        InstantSource clock = InstantSource.system();
        Duration tokenLifetime = Duration.ofHours(1);
        Set<String> disabledApis = Set.of();
        Set<String> deniedPermissions = Set.of();
        Set<String> impersonable = Set.of();
        boolean billed = true;
        boolean onGoogle;
        boolean metrics = true;
        long gpuQuota = 100;
        long cpuQuota = 10_000;
        long memoryQuotaGib = 100_000;
        int pageSize = 100;
        volatile boolean held;
        /** Guarded by this. */
        private Trouble trouble = Trouble.NONE;
        /** Guarded by this. */
        private int troubled;

        private Builder() {}

        synchronized void trouble(Trouble next, int revisions) {
            trouble = Objects.requireNonNull(next, "trouble");
            troubled = revisions;
        }

        /** What is wrong with the revision that is made now. */
        synchronized Trouble trouble() {
            return troubled-- > 0 ? trouble : Trouble.NONE;
        }

        /**
         * The project's id; default {@code tuna-standin}.
         *
         * @param id as Google has them
         * @return this
         */
        public Builder project(String id) {
            this.project = Objects.requireNonNull(id, "id");
            return this;
        }

        /**
         * How long a revision takes from nothing to ready, half of it for the image; default 200 ms.
         *
         * @param bootTime zero or longer
         * @return this
         */
        public Builder bootTime(Duration bootTime) {
            this.bootTime = Objects.requireNonNull(bootTime, "bootTime");
            return this;
        }

        /**
         * How long it takes until a new invoker is let in; default zero.
         *
         * @param accessDelay zero or longer
         * @return this
         */
        public Builder accessDelay(Duration accessDelay) {
            this.accessDelay = Objects.requireNonNull(accessDelay, "accessDelay");
            return this;
        }

        /**
         * What tokens' ends are told by; default the system's.
         *
         * @param clock the clock
         * @return this
         */
        public Builder clock(InstantSource clock) {
            this.clock = Objects.requireNonNull(clock, "clock");
            return this;
        }

        /**
         * How long tokens live; default an hour, as Google's.
         *
         * @param lifetime longer than zero
         * @return this
         */
        public Builder tokenLifetime(Duration lifetime) {
            this.tokenLifetime = Objects.requireNonNull(lifetime, "lifetime");
            return this;
        }

        /**
         * APIs that the project has not enabled; default none.
         *
         * @param apis for instance {@code run.googleapis.com}
         * @return this
         */
        public Builder disabledApis(String... apis) {
            this.disabledApis = Set.of(apis);
            return this;
        }

        /**
         * What nobody may do; default nothing.
         *
         * @param permissions for instance {@code run.services.create}
         * @return this
         */
        public Builder deniedPermissions(String... permissions) {
            this.deniedPermissions = Set.of(permissions);
            return this;
        }

        /**
         * Service accounts that anybody may act as; default none.
         *
         * @param accounts e-mail addresses
         * @return this
         */
        public Builder impersonable(String... accounts) {
            this.impersonable = Set.of(accounts);
            return this;
        }

        /**
         * Takes the billing account away.
         *
         * @return this
         */
        public Builder withoutBilling() {
            this.billed = false;
            return this;
        }

        /**
         * Also stands for the metadata server of a machine that runs as the service account.
         *
         * @return this
         */
        public Builder onGoogle() {
            this.onGoogle = true;
            return this;
        }

        /**
         * What may be used in each region; default plenty.
         *
         * @param gpus GPUs of each kind
         * @param cpus CPUs
         * @param memoryGib memory
         * @return this
         */
        public Builder quota(long gpus, long cpus, long memoryGib) {
            this.gpuQuota = gpus;
            this.cpuQuota = cpus;
            this.memoryQuotaGib = memoryGib;
            return this;
        }

        /**
         * How many services a page of the list has at most; default 100.
         *
         * @param services 1 or more
         * @return this
         */
        public Builder pageSize(int services) {
            this.pageSize = services;
            return this;
        }

        /**
         * Starts it.
         *
         * @return a listening stand-in
         */
        public CloudRunStandIn start() {
            return new CloudRunStandIn(this);
        }
    }
}
