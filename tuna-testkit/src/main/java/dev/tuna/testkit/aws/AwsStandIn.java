package dev.tuna.testkit.aws;

import dev.tuna.api.Secret;
import dev.tuna.testkit.aws.AwsAccount.Made;
import dev.tuna.testkit.crash.CallerFaults;
import dev.tuna.testkit.vendor.VendorExchange;
import dev.tuna.testkit.vendor.VendorFault;
import dev.tuna.testkit.vendor.VendorServer;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * AWS on a loopback port, as far as it takes to rent machines: EC2 (fleets, launch templates, instances, security groups,
 * volumes, prices, scores), SSM's parameters, S3's objects, Pricing, Service Quotas and STS, in the protocols that their clients
 * speak.
 * All services and regions are on one port; the region of a call is that for which it was signed. There are the regions
 * us-east-1, us-east-2 and us-west-2.
 *
 * <p>Each instance has an address of its own in 127.0.0.0/8, so that what it runs can listen on the port that it would have on
 * a real machine. On systems where only 127.0.0.1 can be bound, machines cannot serve.
 *
 * <p>Where it differs from AWS: signatures are read and not recomputed; the default network's addresses are loopback ones;
 * fleets are of type instant and of one market; security groups let everybody in. Thread-safe; its threads are daemons and end
 * when it is closed.
 */
public final class AwsStandIn implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(AwsStandIn.class);
    private static final long TICK_MILLIS = 25;
    private static final Duration NOTICE = Duration.ofMinutes(2);

    private final Builder config;
    private final AwsAccount account;
    private final VendorServer server;
    private final ScheduledExecutorService ticker = Executors.newSingleThreadScheduledExecutor(work -> {
        Thread thread = new Thread(work, "tuna-aws-time");
        thread.setDaemon(true);
        return thread;
    });

    private AwsStandIn(Builder builder) {
        config = builder;
        account = new AwsAccount(builder, builder.network);
        server = VendorServer.start(new AwsRoutes(account)::handle, AwsRoutes::nameOf);
        var unused = ticker.scheduleWithFixedDelay(this::tick, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void tick() {
        try {
            letTimePass();
        } catch (RuntimeException e) {
            LOG.warn("time stumbles", e);
        }
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
     * Where all services are.
     *
     * @return {@code http://127.0.0.1:port}
     */
    public URI uri() {
        return server.uri();
    }

    /**
     * The access key that it takes.
     *
     * @return id of the key
     */
    public Secret accessKey() {
        return config.accessKey;
    }

    /**
     * A secret key to sign with; signatures are not recomputed.
     *
     * @return the key
     */
    public Secret secretKey() {
        return config.secretKey;
    }

    /**
     * Both keys as {@code aws configure export-credentials} prints them.
     *
     * @return JSON
     */
    public Secret credentials() {
        return Secret.of("{\"Version\":1,\"AccessKeyId\":\"" + accessKey().reveal() + "\",\"SecretAccessKey\":\""
                + secretKey().reveal() + "\"}");
    }

    /**
     * What the provider must be told to use it, if its credentials are the secret {@code aws/credentials}. Here callers are
     * also told what address they come from, as at checkip.amazonaws.com; and nobody knows how large a model is.
     *
     * @return setting to value
     */
    public Map<String, String> settings() {
        return Map.of(
                "endpoint",
                uri().toString(),
                "credentials_secret",
                "aws/credentials",
                "ingress_url",
                uri() + "/",
                "hub_url",
                uri() + "/hub");
    }

    /**
     * The account's number.
     *
     * @return twelve digits
     */
    public String accountId() {
        return account.caller();
    }

    /** Does now what time has to do; happens by itself every few milliseconds, and with each call. */
    public void letTimePass() {
        account.run(() -> {});
    }

    // --- faults and record ---

    /**
     * Adds a fault behind those in force, see {@link AwsFaults}.
     *
     * @param fault what to do wrong from now on
     */
    public void inject(VendorFault fault) {
        server.inject(fault);
    }

    /** Drops the faults that have not happened yet. */
    public void clearFaults() {
        server.clearFaults();
    }

    /**
     * Decides at which calls the caller dies.
     *
     * @param faults asked with each call, for instance {@code us-east-1 ec2:CreateFleet}
     */
    public void callers(CallerFaults faults) {
        server.callers(faults);
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
     * Every call so far, for instance {@code us-east-1 ec2:CreateFleet}.
     *
     * @return a snapshot
     */
    public List<String> calls() {
        return server.exchanges().stream()
                .map(each -> AwsRoutes.nameOf(each.request()))
                .toList();
    }

    // --- what there is ---

    /**
     * The instances that have not terminated.
     *
     * @return a snapshot, in the order in which they were launched
     */
    public List<InstanceView> instances() {
        return account.with(() -> account.made().stream()
                .filter(each -> each.instance().state(account.now()) != InstanceState.TERMINATED)
                .map(each -> account.view(each.region(), each.instance()))
                .toList());
    }

    /**
     * An instance, terminated or not.
     *
     * @param id its id
     * @return what is known of it; empty if it was never made
     */
    public Optional<InstanceView> instance(String id) {
        return account.with(() -> account.find(id).map(each -> account.view(each.region(), each.instance())));
    }

    /**
     * Makes a bucket, if there is none of this name.
     *
     * @param bucket its name
     */
    public void bucket(String bucket) {
        account.run(() -> account.buckets().add(bucket));
    }

    /**
     * The objects in all buckets.
     *
     * @return bucket and key, for instance {@code artifacts/tuna/app.jar}
     */
    public List<String> objects() {
        return account.with(() -> account.buckets().objects());
    }

    /**
     * The parameters that somebody made.
     *
     * @return names with region, for instance {@code us-east-1/tuna/key}
     */
    public List<String> parameters() {
        return account.with(() -> account.regions().stream()
                .flatMap(region -> region.parameters().keySet().stream().map(name -> region.name() + name))
                .toList());
    }

    /**
     * Everything that would have to be removed: instances that have not terminated, volumes, launch templates, security
     * groups other than the default ones, parameters that somebody made, and objects in buckets.
     *
     * @return ids with region, for instance {@code us-east-1/i-0123456789abcdef0}
     */
    public List<String> things() {
        return account.with(() -> {
            List<String> things = new ArrayList<>();
            for (AwsRegion region : account.regions()) {
                List<String> ids = new ArrayList<>();
                region.instances().values().stream()
                        .filter(each -> each.state(account.now()) != InstanceState.TERMINATED)
                        .forEach(each -> ids.add(each.id()));
                ids.addAll(region.volumes().keySet());
                ids.addAll(region.templates().keySet());
                ids.addAll(region.groups().keySet());
                ids.remove(region.defaultGroup().id());
                ids.forEach(id -> things.add(region.name() + "/" + id));
                region.parameters().keySet().forEach(name -> things.add(region.name() + name));
            }
            things.addAll(account.buckets().objects());
            return things;
        });
    }

    /**
     * The launch templates that there are.
     *
     * @return names with region, for instance {@code us-east-1/tuna-chat}
     */
    public List<String> templates() {
        return account.with(() -> account.regions().stream()
                .flatMap(region -> region.templates().values().stream().map(each -> region.name() + "/" + each.name()))
                .toList());
    }

    /**
     * The security groups that somebody made.
     *
     * @return names with region
     */
    public List<String> groups() {
        return account.with(() -> account.regions().stream()
                .flatMap(region -> region.groups().values().stream()
                        .filter(each -> !each.equals(region.defaultGroup()))
                        .map(each -> region.name() + "/" + each.name()))
                .toList());
    }

    /**
     * Who may connect where, by the security groups that somebody made.
     *
     * @return a text for each rule: region, group's name, port and source, for instance
     *     {@code us-east-1/tuna-chat 8443 203.0.113.7/32}
     */
    public List<String> ingress() {
        return account.with(() -> account.regions().stream()
                .flatMap(region -> region.groups().values().stream()
                        .filter(each -> !each.equals(region.defaultGroup()))
                        .flatMap(each -> each.rules().keySet().stream()
                                .map(rule -> region.name() + "/" + each.name() + " " + rule.from() + " " + rule.cidr()
                                        + rule.group())))
                .toList());
    }

    /**
     * How many versions launch templates have, all together.
     *
     * @return a number
     */
    public int templateVersions() {
        return account.with(() -> account.regions().stream()
                .flatMap(region -> region.templates().values().stream())
                .mapToInt(template -> template.versions().size())
                .sum());
    }

    /**
     * The fleets that have not been deleted.
     *
     * @return ids with region
     */
    public List<String> fleets() {
        return account.with(() -> account.regions().stream()
                .flatMap(region -> region.fleets().keySet().stream().map(id -> region.name() + "/" + id))
                .toList());
    }

    /**
     * What every instance has run and cost, ended ones included.
     *
     * @return a snapshot, in the order in which they were launched
     */
    public List<Meter> meters() {
        return account.with(() -> account.made().stream().map(this::meter).toList());
    }

    private Meter meter(Made made) {
        StandInInstance instance = made.instance();
        NavigableMap<Instant, BigDecimal> prices = new TreeMap<>();
        if (instance.isSpot()) {
            made.region()
                    .prices()
                    .history(instance.type().name(), instance.zone().name(), instance.launched(), account.now())
                    .forEach(change -> prices.put(change.getKey(), change.getValue()));
        } else {
            prices.put(instance.launched(), instance.type().usdPerHour());
        }
        return new Meter(
                instance.id(),
                instance.order().pool(),
                instance.launched(),
                instance.running(),
                instance.ends(),
                instance.reasonCode(),
                prices);
    }

    // --- what happens to instances ---

    private void to(String instance, Function<Made, Runnable> what) {
        account.run(() -> what.apply(account.find(instance)
                        .orElseThrow(() -> new IllegalArgumentException("there is no instance " + instance)))
                .run());
    }

    /**
     * Announces that an instance will be taken in two minutes, and takes it then.
     *
     * @param instance its id
     */
    public void interrupt(String instance) {
        interrupt(instance, NOTICE);
    }

    /**
     * Announces that an instance will be taken, and takes it then.
     *
     * @param instance its id
     * @param notice how long before
     */
    public void interrupt(String instance, Duration notice) {
        to(instance, made -> () -> account.notice(made, account.now().plus(notice)));
    }

    /**
     * Recommends to move elsewhere.
     *
     * @param instance its id
     */
    public void rebalance(String instance) {
        to(instance, made -> () -> account.rebalance(made));
    }

    /**
     * Takes a spot instance at once, without notice.
     *
     * @param instance its id
     */
    public void reclaim(String instance) {
        end(instance, AwsAccount.TAKEN, AwsAccount.TAKEN + ": Spot instance termination");
    }

    /**
     * Ends an instance as a failure of EC2 does.
     *
     * @param instance its id
     */
    public void breakDown(String instance) {
        end(instance, "Server.InternalError", "Server.InternalError: Internal error on launch");
    }

    private void end(String instance, String code, String words) {
        to(instance, made -> () -> made.instance().end(account.now(), config.shutdownTime, code, words));
    }

    /**
     * What {@code shutdown -h now} on an instance does.
     *
     * @param instance its id
     */
    public void shutDown(String instance) {
        to(instance, made -> () -> account.shutDownFromInside(made.instance()));
    }

    /**
     * The metadata service of an instance.
     *
     * @param instance its id
     * @return the service, which ends with the instance
     */
    public MetadataServer metadata(String instance) {
        return account.with(() -> account.find(instance)
                .map(made -> account.metadata(made.region(), made.instance()))
                .orElseThrow(() -> new IllegalArgumentException("there is no instance " + instance)));
    }

    // --- what there is to be had ---

    /**
     * How many machines a pool has left.
     *
     * @param pool the pool
     * @param instances none or more
     */
    public void stock(Pool pool, int instances) {
        account.run(() -> account.stock(pool, instances));
    }

    /**
     * What a spot pool costs from now on.
     *
     * @param zone name of the zone
     * @param type instance type that is offered there
     * @param usdPerHour dollars an hour
     */
    public void spotPrice(String zone, String type, BigDecimal usdPerHour) {
        account.run(() -> account.region(zone.substring(0, zone.length() - 1))
                .orElseThrow(() -> new IllegalArgumentException("there is no zone " + zone))
                .prices()
                .set(type, zone, usdPerHour, account.now()));
    }

    /**
     * What a pool costs now.
     *
     * @param pool the pool
     * @return dollars an hour
     */
    public BigDecimal price(Pool pool) {
        return account.with(() -> pool.market() == Market.SPOT
                ? account.region(pool.region()).orElseThrow().prices().at(pool.type(), pool.zone(), account.now())
                : MachineTypes.named(pool.type()).orElseThrow().usdPerHour());
    }

    /**
     * A quota, which is enforced and told.
     *
     * @param region its region
     * @param code for instance {@code L-3819A6DF}, spot instances of G types
     * @param vcpus virtual CPUs
     */
    public void quota(String region, String code, int vcpus) {
        account.run(() -> account.quota(region, code, vcpus));
    }

    /**
     * How likely machines are got.
     *
     * @param place region or id of a zone
     * @param score 1 to 10
     */
    public void placementScore(String place, int score) {
        account.run(() -> account.score(place, score));
    }

    /**
     * How many addresses a zone's subnet has.
     *
     * @param zone name of the zone
     * @param most none or more
     */
    public void addresses(String zone, int most) {
        account.run(() -> account.addresses(zone, most));
    }

    /**
     * Takes a public parameter away.
     *
     * @param region where
     * @param name for instance {@code /aws/service/...}
     */
    public void removeParameter(String region, String name) {
        account.run(() -> account.region(region).orElseThrow().images().removeParameter(name));
    }

    /**
     * Takes a right away.
     *
     * @param action as policies have it, for instance {@code ec2:CreateFleet} or {@code iam:PassRole}
     */
    public void deny(String action) {
        account.run(() -> account.deny(action));
    }

    /**
     * Confines a right to resources that have a tag, as a policy with the condition {@code aws:ResourceTag} does: whoever names
     * something without it, or something that does not exist, is not allowed to.
     *
     * @param action an action of EC2 as policies have it, for instance {@code ec2:TerminateInstances}
     * @param key the tag's key
     */
    public void allowOnlyTagged(String action, String key) {
        account.run(() -> account.allowOnlyTagged(action, key));
    }

    /**
     * Gives a right back.
     *
     * @param action as policies have it
     */
    public void allow(String action) {
        account.run(() -> account.allow(action));
    }

    /**
     * Whether the account has the role that EC2 wants before it makes the first spot instance; it has.
     *
     * @param there whether it has
     */
    public void spotRole(boolean there) {
        account.run(() -> account.spotRole(there));
    }

    /**
     * How long instances that are launched from now on are unknown to whoever asks.
     *
     * @param answers for how many answers
     * @param time or for how long
     */
    public void hideFresh(int answers, Duration time) {
        account.run(() -> account.hideFresh(answers, time));
    }

    /**
     * For how many answers security groups, launch templates and versions of these that are made from now on are unknown to
     * whoever names or lists them, each by itself.
     *
     * @param answers for how many answers
     */
    public void hideFreshHelpers(int answers) {
        account.run(() -> account.hideFreshHelpers(answers));
    }

    /** Stops everything; may be called twice. */
    @Override
    public void close() {
        ticker.shutdownNow();
        server.close();
        account.close();
    }

    /** Describes a stand-in. Not thread-safe. */
    public static final class Builder {
        Secret accessKey = Secret.of("AKIASTANDIN012345678");
        Secret secretKey = Secret.of("standin/SecretAccessKey/0123456789abcdef");
        InstantSource clock = InstantSource.system();
        Duration pendingTime = Duration.ofMillis(100);
        Duration bootTime = Duration.ofMillis(100);
        Duration shutdownTime = Duration.ofMillis(100);
        Duration quotaRelease = Duration.ofMinutes(1);
        InstanceRunner runner = InstanceRunner.NOTHING;
        int quota = 4096;
        int stock = 1000;
        int pageSize = 1000;
        String accountId = AwsAccount.ID;
        int network = 10 + 3 * ThreadLocalRandom.current().nextInt(80);

        private Builder() {}

        /**
         * The access key that is taken.
         *
         * @param id id of the key
         * @param secret what goes with it
         * @return this
         */
        public Builder key(Secret id, Secret secret) {
            this.accessKey = Objects.requireNonNull(id, "id");
            this.secretKey = Objects.requireNonNull(secret, "secret");
            return this;
        }

        /**
         * What time it is; default the system's.
         *
         * @param clock the clock
         * @return this
         */
        public Builder clock(InstantSource clock) {
            this.clock = Objects.requireNonNull(clock, "clock");
            return this;
        }

        /**
         * How long an instance is pending; default 100 ms.
         *
         * @param time zero or longer
         * @return this
         */
        public Builder pendingTime(Duration time) {
            this.pendingTime = Objects.requireNonNull(time, "time");
            return this;
        }

        /**
         * How long a running instance takes until it runs user data; default 100 ms.
         *
         * @param time zero or longer
         * @return this
         */
        public Builder bootTime(Duration time) {
            this.bootTime = Objects.requireNonNull(time, "time");
            return this;
        }

        /**
         * How long an instance shuts down; default 100 ms.
         *
         * @param time zero or longer
         * @return this
         */
        public Builder shutdownTime(Duration time) {
            this.shutdownTime = Objects.requireNonNull(time, "time");
            return this;
        }

        /**
         * How long the virtual CPUs of an instance count against the quota after its end; default a minute, as at AWS.
         *
         * @param time zero or longer
         * @return this
         */
        public Builder quotaRelease(Duration time) {
            this.quotaRelease = Objects.requireNonNull(time, "time");
            return this;
        }

        /**
         * What instances run; default nothing.
         *
         * @param runner called after each boot
         * @return this
         */
        public Builder runner(InstanceRunner runner) {
            this.runner = Objects.requireNonNull(runner, "runner");
            return this;
        }

        /**
         * Every quota unless set otherwise; default 4096.
         *
         * @param vcpus virtual CPUs
         * @return this
         */
        public Builder quota(int vcpus) {
            this.quota = vcpus;
            return this;
        }

        /**
         * What every pool has in stock unless set otherwise; default 1000.
         *
         * @param instances none or more
         * @return this
         */
        public Builder stock(int instances) {
            this.stock = instances;
            return this;
        }

        /**
         * How many things a page of a list has at most; default 1000.
         *
         * @param things 1 or more
         * @return this
         */
        public Builder pageSize(int things) {
            this.pageSize = things;
            return this;
        }

        /**
         * Of which account STS says that the credentials are.
         *
         * @param number twelve digits
         * @return this
         */
        public Builder accountId(String number) {
            this.accountId = number;
            return this;
        }

        /**
         * Which addresses instances have: those of {@code 127.<number>.0.0/16} in the first region, of the next in the next.
         * Stand-ins whose machines serve at the same time need numbers that are at least three apart; the default is drawn by
         * lot.
         *
         * @param number 1 to 252
         * @return this
         */
        public Builder network(int number) {
            this.network = number;
            return this;
        }

        /**
         * Starts it.
         *
         * @return a listening stand-in
         */
        public AwsStandIn start() {
            return new AwsStandIn(this);
        }
    }
}
