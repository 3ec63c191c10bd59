package dev.tuna.testkit.aws;

import dev.tuna.api.Secret;
import dev.tuna.testkit.aws.MachineType.Bucket;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/** One account with its regions. Everything in it is reached through {@link #with}. Thread-safe. */
final class AwsAccount {

    static final String ID = "123456789012";

    /** How long a terminated instance is shown. */
    static final Duration SHOWN = Duration.ofHours(1);

    static final String TAKEN = "Server.SpotInstanceTermination";

    private final AwsStandIn.Builder config;
    private final ReentrantLock lock = new ReentrantLock();
    private final Guests guests;
    private final Map<String, AwsRegion> regions = new LinkedHashMap<>();
    private final Buckets buckets = new Buckets(this);
    private final Ids ids = new Ids();
    private final Map<Pool, Integer> stock = new HashMap<>();
    private final Map<String, Integer> quotas = new HashMap<>();
    private final Map<String, Integer> scores = new HashMap<>();
    private final Map<String, Integer> addresses = new HashMap<>();
    private final Set<String> denied = new HashSet<>();
    /** Action to the key of the tag without which it is not allowed. */
    private final Map<String, String> onlyTagged = new HashMap<>();

    private final Map<String, MetadataServer> metadata = new HashMap<>();
    private final List<Made> made = new ArrayList<>();
    private boolean spotRole = true;
    private int hiddenAnswers;
    private Duration hidden = Duration.ZERO;
    private int hiddenHelperAnswers;
    /** Fresh security groups, launch templates and versions to how many more answers leave them out. */
    private final Map<String, Integer> hiddenHelpers = new HashMap<>();

    private boolean closed;

    /**
     * An instance that there was or is.
     *
     * @param region where
     * @param instance the instance
     */
    record Made(AwsRegion region, StandInInstance instance) {}

    AwsAccount(AwsStandIn.Builder config, int network) {
        this.config = config;
        this.guests = new Guests(config.runner);
        Instant now = config.clock.instant();
        AwsRegion.NAMES.forEach(name -> regions.put(name, new AwsRegion(name, network, now)));
    }

    /** The account of whoever calls. */
    String caller() {
        return config.accountId;
    }

    /** Does something while nobody else does, after time has done what it does. */
    <T> T with(Supplier<T> work) {
        lock.lock();
        try {
            settle();
            T result = work.get();
            settle();
            return result;
        } finally {
            lock.unlock();
        }
    }

    void run(Runnable work) {
        with(() -> {
            work.run();
            return true;
        });
    }

    private void settle() {
        Instant now = now();
        for (AwsRegion region : regions.values()) {
            for (StandInInstance instance : List.copyOf(region.instances().values())) {
                settle(region, instance, now);
            }
        }
    }

    private void settle(AwsRegion region, StandInInstance instance, Instant now) {
        instance.notice()
                .filter(at -> !now.isBefore(at))
                .ifPresent(at -> instance.end(at, config.shutdownTime, TAKEN, TAKEN + ": Spot instance termination"));
        if (!closed && instance.boots(now, config.bootTime)) {
            guests.boot(new Inside(region, instance), instance.id());
        }
        if (instance.settles(now)) {
            stock.computeIfPresent(instance.order().pool(), (pool, left) -> left + 1);
            if (instance.isBooted()) {
                guests.powerOff(instance.id(), () -> forgetMetadata(instance.id()));
            }
        }
        if (instance.state(now) == InstanceState.TERMINATED) {
            instance.volumes().removeIf(id -> releaseVolume(region, id));
            if (!now.isBefore(instance.ended().plus(SHOWN))) {
                region.instances().remove(instance.id());
            }
        }
    }

    private static boolean releaseVolume(AwsRegion region, String id) {
        Volume volume = region.volumes().get(id);
        if (volume != null && volume.isDeletedOnTermination()) {
            region.volumes().remove(id);
        } else if (volume != null) {
            volume.detach();
        }
        return true;
    }

    Instant now() {
        return config.clock.instant();
    }

    Secret accessKey() {
        return config.accessKey;
    }

    Duration pendingTime() {
        return config.pendingTime;
    }

    Duration shutdownTime() {
        return config.shutdownTime;
    }

    int pageSize() {
        return config.pageSize;
    }

    Ids ids() {
        return ids;
    }

    Optional<AwsRegion> region(String name) {
        return Optional.ofNullable(regions.get(name));
    }

    Buckets buckets() {
        return buckets;
    }

    List<AwsRegion> regions() {
        return List.copyOf(regions.values());
    }

    Optional<Made> find(String instance) {
        return made.stream()
                .filter(each -> each.instance().id().equals(instance))
                .findFirst();
    }

    List<Made> made() {
        return made;
    }

    void made(AwsRegion region, StandInInstance instance) {
        made.add(new Made(region, instance));
    }

    // --- rights ---

    boolean allows(String action) {
        return !denied.contains(action);
    }

    void deny(String action) {
        denied.add(action);
    }

    void allow(String action) {
        denied.remove(action);
        onlyTagged.remove(action);
    }

    void allowOnlyTagged(String action, String key) {
        onlyTagged.put(action, key);
    }

    Optional<String> tagFor(String action) {
        return Optional.ofNullable(onlyTagged.get(action));
    }

    boolean hasSpotRole() {
        return spotRole;
    }

    void spotRole(boolean there) {
        spotRole = there;
    }

    // --- what there is of everything ---

    int stock(Pool pool) {
        return stock.getOrDefault(pool, config.stock);
    }

    void stock(Pool pool, int instances) {
        stock.put(pool, instances);
    }

    void take(Pool pool) {
        stock.put(pool, stock(pool) - 1);
    }

    int quota(String region, Bucket bucket, boolean spot) {
        return quotas.getOrDefault(region + " " + bucket.code(spot), config.quota);
    }

    void quota(String region, String code, int vcpus) {
        quotas.put(region + " " + code, vcpus);
    }

    /** Those of instances that ended a minute ago count too. */
    int vcpusInUse(AwsRegion region, Bucket bucket, boolean spot, Instant now) {
        return region.instances().values().stream()
                .filter(each -> each.isSpot() == spot && each.type().bucket() == bucket)
                .filter(each -> each.ends()
                        .map(end -> now.isBefore(end.plus(config.quotaRelease)))
                        .orElse(true))
                .mapToInt(each -> each.type().vcpus())
                .sum();
    }

    int freeAddresses(AwsRegion region, Zone zone, Instant now) {
        long used = region.instances().values().stream()
                .filter(each -> each.zone().equals(zone) && each.state(now) != InstanceState.TERMINATED)
                .count();
        return addresses.getOrDefault(zone.name(), Zone.ADDRESSES) - (int) used;
    }

    void addresses(String zone, int most) {
        addresses.put(zone, most);
    }

    Optional<Integer> score(String place) {
        return Optional.ofNullable(scores.get(place));
    }

    void score(String place, int score) {
        scores.put(place, score);
    }

    // --- eventual consistency ---

    int hiddenAnswers() {
        return hiddenAnswers;
    }

    void hideFresh(int answers, Duration time) {
        hiddenAnswers = answers;
        hidden = time;
    }

    boolean hides(StandInInstance instance, Instant now) {
        return instance.hides(now, hidden);
    }

    void hideFreshHelpers(int answers) {
        hiddenHelperAnswers = answers;
    }

    /** To be called with each security group, launch template or version that is made. */
    void made(String helper) {
        hiddenHelpers.put(helper, hiddenHelperAnswers);
    }

    /** Whether an answer leaves it out; asking counts. */
    boolean hides(String helper) {
        int left = hiddenHelpers.getOrDefault(helper, 0);
        hiddenHelpers.computeIfPresent(helper, (same, before) -> Math.max(0, before - 1));
        return left > 0;
    }

    // --- machines from inside ---

    InstanceView view(AwsRegion region, StandInInstance instance) {
        return new InstanceView(
                instance.id(),
                region.name(),
                instance.zone().name(),
                instance.type().name(),
                instance.order().market(),
                instance.image().id(),
                instance.state(now()),
                instance.spec().text("UserData").orElse(""),
                instance.tags(),
                instance.address(),
                instance.isPublic() ? Optional.of(instance.address()) : Optional.empty(),
                instance.spec()
                        .part("MetadataOptions")
                        .text("InstanceMetadataTags")
                        .orElse("")
                        .equals("enabled"),
                instance.launched());
    }

    MetadataServer metadata(AwsRegion region, StandInInstance instance) {
        return metadata.computeIfAbsent(instance.id(), made -> {
            MetadataServer server = MetadataServer.start(view(region, instance), config.clock);
            instance.notice().ifPresent(server::notice);
            instance.rebalance().ifPresent(server::rebalance);
            profile(instance).ifPresent(profile -> server.role(profile, config.accessKey, config.secretKey, now()));
            return server;
        });
    }

    /** The name of what it was launched with, which has a role of the same name. */
    private static Optional<String> profile(StandInInstance instance) {
        Form profile = instance.spec().part("IamInstanceProfile");
        return profile.text("Name").or(() -> profile.text("Arn").map(arn -> arn.replaceFirst(".*/", "")));
    }

    void notice(Made it, Instant at) {
        it.instance().notice(at);
        metadata(it.region(), it.instance()).notice(at);
    }

    void rebalance(Made it) {
        it.instance().rebalance(now());
        metadata(it.region(), it.instance()).rebalance(now());
    }

    private void forgetMetadata(String id) {
        lock.lock();
        try {
            Optional.ofNullable(metadata.remove(id)).ifPresent(MetadataServer::close);
        } finally {
            lock.unlock();
        }
    }

    void close() {
        lock.lock();
        try {
            closed = true;
        } finally {
            lock.unlock();
        }
        guests.close();
        lock.lock();
        try {
            metadata.values().forEach(MetadataServer::close);
            metadata.clear();
        } finally {
            lock.unlock();
        }
    }

    /** One instance from inside. */
    private final class Inside implements Machine {
        private final AwsRegion region;
        private final StandInInstance instance;

        Inside(AwsRegion region, StandInInstance instance) {
            this.region = region;
            this.instance = instance;
        }

        @Override
        public InstanceView view() {
            return with(() -> AwsAccount.this.view(region, instance));
        }

        @Override
        public URI metadata() {
            return with(() -> AwsAccount.this.metadata(region, instance).uri());
        }

        @Override
        public void print(String line) {
            run(() -> instance.print(line));
        }

        @Override
        public void shutDown() {
            run(() -> shutDownFromInside(instance));
        }
    }

    void shutDownFromInside(StandInInstance instance) {
        String code = "Client.InstanceInitiatedShutdown";
        String words = code + ": Instance initiated shutdown";
        boolean terminates = instance.isSpot()
                || instance.spec()
                        .text("InstanceInitiatedShutdownBehavior")
                        .orElse("stop")
                        .equals("terminate");
        if (terminates) {
            instance.end(now(), config.shutdownTime, code, words);
        } else {
            instance.stop(now(), code, words);
        }
    }
}
