package dev.tuna.testkit.runpod;

import dev.tuna.api.Secret;
import dev.tuna.testkit.crash.CallerFaults;
import dev.tuna.testkit.vendor.VendorExchange;
import dev.tuna.testkit.vendor.VendorFault;
import dev.tuna.testkit.vendor.VendorServer;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * RunPod on a loopback port, as far as serverless endpoints go: the calls of {@code /v2/serverless}, the catalogue, the
 * balance, and both ways of sending an endpoint requests. Workers boot, idle and stop as real ones do, and serve with a
 * {@link dev.tuna.testkit.vllm.VllmStandIn}.
 *
 * <p>Where it differs from RunPod: load-balancing endpoints are at {@code /lb/<id>} of the same port instead of at a host
 * of their own. Thread-safe.
 */
public final class RunPodStandIn implements AutoCloseable {

    private final Account account;
    private final VendorServer server;

    private RunPodStandIn(Builder builder) {
        account = new Account(builder);
        server = VendorServer.start(new RunPodRoutes(account)::handle);
        account.listensAt(server.uri());
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
     * @return the account's key
     */
    public Secret key() {
        return account.key();
    }

    /**
     * What the provider must be told to use it. There is no Hugging Face either: nobody knows how large a model is.
     *
     * @return setting to value
     */
    public Map<String, String> settings() {
        String here = uri().toString();
        return Map.of("api_url", here, "serverless_url", here, "hub_url", here, "observe_interval_seconds", "0");
    }

    /**
     * Adds a fault behind those in force; paths are those of RunPod's API, for instance {@code POST /v2/serverless}.
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
     * The endpoints that there are.
     *
     * @return their names; one that occurs twice is there twice
     */
    public List<String> endpoints() {
        return account.endpoints().stream().map(StandInEndpoint::name).toList();
    }

    /**
     * How many workers endpoints of a name have, whatever their state.
     *
     * @param name the endpoints' name
     * @return zero or more
     */
    public int workers(String name) {
        return account.named(name).mapToInt(StandInEndpoint::workers).sum();
    }

    /**
     * How many workers endpoints of a name may have, as RunPod has it now.
     *
     * @param name the endpoint's name
     * @return {@code workers.max} of the first
     */
    public int workersMax(String name) {
        return account.named(name).findFirst().orElseThrow().max();
    }

    /** What a week without requests does: no endpoint may have workers any more. */
    public void passIdleWeek() {
        account.endpoints().forEach(endpoint -> endpoint.limit(0));
    }

    /**
     * Makes the workers of endpoints of a name sick or well.
     *
     * @param name the endpoints' name
     * @param trouble what is wrong from now on
     */
    public void trouble(String name, Trouble trouble) {
        account.named(name).forEach(endpoint -> endpoint.trouble(trouble));
    }

    /**
     * Has each worker of endpoints of a name write a line into its log.
     *
     * @param name the endpoints' name
     * @param line the line
     */
    public void write(String name, String line) {
        account.named(name).forEach(endpoint -> endpoint.write(line));
    }

    /** What can be wrong with an endpoint's workers. */
    public enum Trouble {
        /** Nothing. */
        NONE,
        /** They start and fail their health checks, over and over. */
        CRASHING,
        /** There is no machine for them. */
        NO_MACHINE,
        /** They fetch their image and do not get further. */
        STUCK
    }

    /** Stops everything; may be called twice. */
    @Override
    public void close() {
        server.close();
        account.endpoints().forEach(StandInEndpoint::close);
    }

    /** Describes a stand-in. Not thread-safe. */
    public static final class Builder {
        Secret key = Secret.of("rpa_STANDIN0123456789ABCDEFGHIJKLMNOPQRSTUVW");
        Duration bootTime = Duration.ofMillis(200);
        Duration coldLimit = Duration.ofMinutes(2);
        BigDecimal balance = BigDecimal.valueOf(1000);
        int workerQuota = 60;
        int pageSize = 1000;

        private Builder() {}

        /**
         * The account's key.
         *
         * @param key the only one that is taken
         * @return this
         */
        public Builder key(Secret key) {
            this.key = Objects.requireNonNull(key, "key");
            return this;
        }

        /**
         * How long a worker takes from nothing to ready, half of it for the image; default 200 ms.
         *
         * @param bootTime zero or longer
         * @return this
         */
        public Builder bootTime(Duration bootTime) {
            this.bootTime = Objects.requireNonNull(bootTime, "bootTime");
            return this;
        }

        /**
         * How long the load balancer holds a request for which there is no worker; default 2 min.
         *
         * @param coldLimit longer than zero
         * @return this
         */
        public Builder coldLimit(Duration coldLimit) {
            this.coldLimit = Objects.requireNonNull(coldLimit, "coldLimit");
            return this;
        }

        /**
         * What the account has; default 1000 $.
         *
         * @param balance dollars
         * @return this
         */
        public Builder balance(BigDecimal balance) {
            this.balance = Objects.requireNonNull(balance, "balance");
            return this;
        }

        /**
         * How many workers all endpoints may have; default 60.
         *
         * @param workers 0 or more
         * @return this
         */
        public Builder workerQuota(int workers) {
            this.workerQuota = workers;
            return this;
        }

        /**
         * How many endpoints a page of the list has; default 1000.
         *
         * @param endpoints 1 or more
         * @return this
         */
        public Builder pageSize(int endpoints) {
            this.pageSize = endpoints;
            return this;
        }

        /**
         * Starts it.
         *
         * @return a listening stand-in
         */
        public RunPodStandIn start() {
            return new RunPodStandIn(this);
        }
    }
}
