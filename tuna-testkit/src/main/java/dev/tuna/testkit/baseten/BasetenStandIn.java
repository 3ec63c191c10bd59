package dev.tuna.testkit.baseten;

import dev.tuna.api.Secret;
import dev.tuna.testkit.crash.CallerFaults;
import dev.tuna.testkit.vendor.VendorExchange;
import dev.tuna.testkit.vendor.VendorFault;
import dev.tuna.testkit.vendor.VendorServer;
import java.net.URI;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Baseten on a loopback port, as far as models in a container of their own go: preparing, uploading and pushing, deployments
 * and the environment {@code production}, secrets, machines and prices, and requests to models. Deployments are built, placed
 * and loaded as real ones are, scale to zero and wake, and serve with a {@link dev.tuna.testkit.vllm.VllmStandIn} that is
 * started from the pushed command.
 *
 * <p>Where it differs from Baseten: models are at {@code /model-<id>} of the same port instead of at a host of their own, S3 is
 * at {@code /s3}, and at {@code /hub} is what Hugging Face would tell of models. Thread-safe.
 */
public final class BasetenStandIn implements AutoCloseable {

    private final Workspace workspace;
    private final VendorServer server;

    private BasetenStandIn(Builder builder) {
        workspace = new Workspace(builder);
        server = VendorServer.start(new BasetenRoutes(workspace)::handle);
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
     * Where it listens.
     *
     * @return {@code http://127.0.0.1:port}
     */
    public URI uri() {
        return server.uri();
    }

    /**
     * The key that it takes.
     *
     * @return the workspace's key
     */
    public Secret key() {
        return workspace.builder().key;
    }

    /**
     * What the provider must be told to use it.
     *
     * @return setting to value
     */
    public Map<String, String> settings() {
        return Map.of(
                "api_url", uri().toString(),
                "model_url", uri() + BasetenRoutes.EDGE + "{model_id}",
                "upload_url", uri() + "/s3",
                "hub_url", uri() + BasetenRoutes.HUB,
                "observe_interval_seconds", "0");
    }

    /**
     * Adds a fault behind those in force; paths are those of Baseten's API, for instance {@code POST /v1/models}.
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
     * Every exchange so far.
     *
     * @return a snapshot
     */
    public List<VendorExchange> exchanges() {
        return server.exchanges();
    }

    /**
     * The models that there are.
     *
     * @return their names
     */
    public List<String> models() {
        return workspace.models().stream().map(StandInModel::name).toList();
    }

    /**
     * The deployments of a model.
     *
     * @param model the model's name
     * @return their statuses, oldest first; empty if there is no such model
     */
    public List<String> deployments(String model) {
        return workspace.locked(() -> workspace.named(model).stream()
                .flatMap(each -> List.copyOf(each.deployments()).stream())
                .map(StandInDeployment::status)
                .toList());
    }

    /**
     * What production of a model is set to.
     *
     * @param model the model's name
     * @return the environment as JSON
     */
    public String production(String model) {
        return workspace.locked(
                () -> workspace.named(model).orElseThrow().environmentJson().toString());
    }

    /**
     * The secrets of the workspace.
     *
     * @return their names
     */
    public List<String> secrets() {
        return workspace.secretNames();
    }

    /**
     * Credentials that were handed out for uploads, to be looked for where they must not be.
     *
     * @return secrets and session tokens
     */
    public List<String> uploadSecrets() {
        return workspace.bucket().secrets();
    }

    /**
     * What the newest deployment of a model had in the environment of its engine.
     *
     * @param model the model's name
     * @return variable to value; empty if no engine was started
     */
    public Map<String, String> engineEnvironment(String model) {
        return newest(model).map(each -> workspace.environment(each.id())).orElse(Map.of());
    }

    private Optional<StandInDeployment> newest(String model) {
        return workspace.locked(() -> workspace
                .named(model)
                .flatMap(each -> each.deployments().stream().reduce((earlier, later) -> later)));
    }

    /**
     * Makes the newest deployment of a model sick or well.
     *
     * @param model the model's name
     * @param trouble what is wrong from now on
     */
    public void trouble(String model, Trouble trouble) {
        newest(model).orElseThrow().trouble(trouble);
    }

    /**
     * Makes every deployment that is pushed from now on sick or well.
     *
     * @param trouble what is wrong
     */
    public void troubleNext(Trouble trouble) {
        workspace.builder().trouble = trouble;
    }

    /**
     * What Baseten does after half an hour without a machine.
     *
     * @param model the model's name
     */
    public void giveUp(String model) {
        newest(model).orElseThrow().giveUp();
    }

    /**
     * Makes another secret, as somebody else in the workspace would.
     *
     * @param name its name
     * @param value its value
     */
    public void putSecret(String name, Secret value) {
        var ignored = workspace.putSecret(
                BasetenRoutes.JSON.createObjectNode().put("name", name).put("value", value.reveal()));
    }

    /** What can be wrong with a deployment. */
    public enum Trouble {
        /** Nothing. */
        NONE,
        /** Its image cannot be built. */
        BUILD_FAILS,
        /** There is no machine for it. */
        NO_MACHINE,
        /** Its engine starts and does not get further. */
        STUCK,
        /** Its engine ends at once. */
        CRASHING
    }

    /** Stops everything; may be called twice. */
    @Override
    public void close() {
        server.close();
        workspace.close();
    }

    /** Describes a stand-in. Not thread-safe. */
    public static final class Builder {
        Secret key = Secret.of("StandIn1.0123456789abcdefghijklmnopqrstuv");
        Optional<Secret> edgeKey = Optional.empty();
        boolean edgeBearer = true;
        String team = "team1";
        Duration bootTime = Duration.ofMillis(200);
        Duration coldLimit = Duration.ofMinutes(2);
        Duration hiddenFor = Duration.ZERO;
        boolean paymentMethod = true;
        boolean stickyProduction;
        boolean environmentLate;
        volatile Trouble trouble = Trouble.NONE;
        final Set<String> disabled = new HashSet<>();
        final Set<String> gated = new HashSet<>();
        final Map<String, Long> hub = new HashMap<>();

        private Builder() {}

        /**
         * The workspace's key.
         *
         * @param key the only one that is taken
         * @return this
         */
        public Builder key(Secret key) {
            this.key = Objects.requireNonNull(key, "key");
            return this;
        }

        /**
         * A key that only models take.
         *
         * @param key the key
         * @return this
         */
        public Builder edgeKey(Secret key) {
            this.edgeKey = Optional.of(key);
            return this;
        }

        /** Models take keys only behind {@code Api-Key}, as Baseten is reported to have demanded.
         *
         * @return this
         */
        public Builder edgeDemandsApiKey() {
            this.edgeBearer = false;
            return this;
        }

        /**
         * How long a deployment takes from nothing to active: equal parts for the image, the machine, and two for the
         * engine; default 200 ms. A wake-up takes half of it.
         *
         * @param bootTime zero or longer
         * @return this
         */
        public Builder bootTime(Duration bootTime) {
            this.bootTime = Objects.requireNonNull(bootTime, "bootTime");
            return this;
        }

        /**
         * How long the edge holds a request for which there is no replica; default 2 min.
         *
         * @param coldLimit longer than zero
         * @return this
         */
        public Builder coldLimit(Duration coldLimit) {
            this.coldLimit = Objects.requireNonNull(coldLimit, "coldLimit");
            return this;
        }

        /**
         * How long a new deployment does not show; default not at all.
         *
         * @param hiddenFor zero or longer
         * @return this
         */
        public Builder hiddenFor(Duration hiddenFor) {
            this.hiddenFor = Objects.requireNonNull(hiddenFor, "hiddenFor");
            return this;
        }

        /** Nobody has said who pays.
         *
         * @return this
         */
        public Builder noPaymentMethod() {
            this.paymentMethod = false;
            return this;
        }

        /**
         * A card that the organization may not use.
         *
         * @param card Baseten's name of it
         * @return this
         */
        public Builder disabled(String card) {
            this.disabled.add(card);
            return this;
        }

        /**
         * A model whose weights only come with a token.
         *
         * @param model its id
         * @return this
         */
        public Builder gated(String model) {
            this.gated.add(model);
            return this;
        }

        /**
         * A model that the hub knows.
         *
         * @param model its id
         * @param parameters how many, of 16 bits each
         * @return this
         */
        public Builder hub(String model, long parameters) {
            this.hub.put(model, parameters);
            return this;
        }

        /** Production stays at the first deployment until another one is promoted.
         *
         * @return this
         */
        public Builder stickyProduction() {
            this.stickyProduction = true;
            return this;
        }

        /** Environment {@code production} comes to be only when a deployment is active.
         *
         * @return this
         */
        public Builder environmentLate() {
            this.environmentLate = true;
            return this;
        }

        /**
         * What is wrong with every new deployment.
         *
         * @param trouble the trouble
         * @return this
         */
        public Builder trouble(Trouble trouble) {
            this.trouble = Objects.requireNonNull(trouble, "trouble");
            return this;
        }

        /**
         * Starts it.
         *
         * @return a listening stand-in
         */
        public BasetenStandIn start() {
            return new BasetenStandIn(this);
        }
    }
}
