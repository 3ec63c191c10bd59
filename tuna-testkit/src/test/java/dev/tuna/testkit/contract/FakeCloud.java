package dev.tuna.testkit.contract;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.CapacityException;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.ProviderException;
import dev.tuna.api.Secret;
import dev.tuna.api.StoreException;
import dev.tuna.api.Tier;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.Credential;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.LaunchPlan;
import dev.tuna.spi.LogLine;
import dev.tuna.spi.PoolOffer;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.spi.SpotCloud;
import dev.tuna.testkit.contract.Outside.Thing;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * A cloud in memory, of either kind. The setting {@code broken} cuts it off. A thing takes two seconds to be placed, two
 * more to boot; one helper is made for each deployment.
 */
final class FakeCloud implements ServerlessCloud, SpotCloud {

    private static final String GPU = "L4";
    private static final BigDecimal PRICE = new BigDecimal("0.50");
    private static final AtomicInteger COUNTER = new AtomicInteger();

    private final Outside outside;
    private final ProviderContext context;
    private final Set<Flaw> flaws;
    private final Thread opener = Thread.currentThread();
    private final Set<ResourceRef> madeHere = new HashSet<>();
    private boolean closed;

    FakeCloud(Outside outside, ProviderContext context, Set<Flaw> flaws) {
        this.outside = outside;
        this.context = context;
        this.flaws = flaws;
    }

    private boolean has(Flaw flaw) {
        return flaws.contains(flaw);
    }

    private boolean broken() {
        return context.settings().containsKey("broken");
    }

    private void contact(String operation) {
        if (has(Flaw.ONE_THREAD_ONLY) && Thread.currentThread() != opener) {
            throw new IllegalStateException("used by another thread");
        }
        if (!broken()) {
            return;
        }
        if (has(Flaw.THROWS_RAW)) {
            throw new IllegalStateException("connection refused");
        }
        throw ProviderException.of("fake", operation)
                .code(ErrorCode.UNREACHABLE)
                .retryable(!has(Flaw.UNREACHABLE_IS_FINAL))
                .message(has(Flaw.SECRET_IN_ERROR) ? "sent " + engineKey().reveal() : "nobody is there")
                .build();
    }

    private Secret engineKey() {
        return context.secrets().get(ContractContext.ENGINE_KEY).orElseThrow();
    }

    // Preflight, offers, pools

    @Override
    public PreflightReport preflight(ServerlessSpec spec, boolean fix) {
        return preflight(spec.deployment(), "endpoint");
    }

    @Override
    public PreflightReport preflight(ReplicaSpec spec, boolean fix) {
        return preflight(spec.deployment(), "replica");
    }

    private PreflightReport preflight(String deployment, String kind) {
        if (has(Flaw.PREFLIGHT_CREATES)) {
            outside.put(thing(new ResourceRef("fake", kind, deployment), deployment, Optional.empty()));
        }
        if (has(Flaw.PREFLIGHT_NEEDS_SETTINGS) && context.settings().isEmpty()) {
            throw new IllegalStateException("no settings");
        }
        boolean fine = (!broken() && !has(Flaw.PREFLIGHT_FAILS_ALWAYS)) || has(Flaw.PREFLIGHT_PASSES_ALWAYS);
        Check failed = has(Flaw.PREFLIGHT_WITHOUT_FIX)
                ? new Check("reachable", PreflightReport.Outcome.FAILED, "it is not there", Optional.empty())
                : Check.failed("reachable", "it is not there", "remove the setting 'broken'");
        return new PreflightReport("fake", List.of(fine ? Check.passed("reachable", "it is there") : failed));
    }

    @Override
    public List<GpuOffer> offers(GpuQuery query) {
        contact("list offers");
        String provider = has(Flaw.OFFERS_OF_ANOTHER) ? "other" : "fake";
        GpuOffer offer = new GpuOffer(
                provider,
                Tier.SERVERLESS,
                GPU,
                1,
                Optional.empty(),
                Optional.empty(),
                Optional.of(PRICE),
                outside.time.instant(),
                "live");
        return Stream.of(offer)
                .filter(one -> has(Flaw.OFFERS_IGNORE_QUERY) || query.matches(one))
                .toList();
    }

    @Override
    public List<PoolOffer> pools(ReplicaSpec spec) {
        return pools().stream()
                .filter(offer -> has(Flaw.OFFERS_IGNORE_QUERY)
                        || offer.gpu().equals(spec.engine().gpu()))
                .filter(offer -> has(Flaw.POOLS_IGNORE_REGION)
                        || spec.regions().isEmpty()
                        || spec.regions().contains(offer.pool().region()))
                .toList();
    }

    @Override
    public List<PoolOffer> pools() {
        contact("list pools");
        return Stream.of(
                        pool("east", "east-1", Tier.SPOT),
                        pool("east", has(Flaw.POOLS_TWICE) ? "east-1" : "east-2", Tier.SPOT),
                        pool("west", "west-1", Tier.ON_DEMAND))
                .map(pool -> new PoolOffer(pool, GPU, 1, Optional.of(PRICE), outside.time.instant(), "live"))
                .toList();
    }

    private CapacityPool pool(String region, String zone, Tier tier) {
        return new CapacityPool(has(Flaw.OFFERS_OF_ANOTHER) ? "other" : "fake", region, zone, "g1", tier);
    }

    // Plans

    @Override
    public ServerlessPlan plan(ServerlessSpec spec) {
        String name = has(Flaw.PLAN_MIXES_UP) ? "same" : spec.deployment();
        return new ServerlessPlan(
                spec.deployment(),
                new ResourceRef("fake", "endpoint", name),
                "one endpoint",
                body(spec.engine()) + " workers " + spec.scaling().workersMax(),
                List.of());
    }

    @Override
    public LaunchPlan plan(ReplicaSpec spec, List<CapacityPool> pools, String token) {
        String sent = has(Flaw.PLAN_MIXES_UP) ? "same" : token;
        return new LaunchPlan(spec.deployment(), sent, pools, "one replica", body(spec.engine()));
    }

    private String body(EngineSpec engine) {
        if (has(Flaw.PLAN_CONTACTS)) {
            FakeProvider.contact(context);
        }
        if (!engine.gpu().equals(GPU) && !has(Flaw.PLAN_ACCEPTS_ALL)) {
            throw new ConfigurationException(ErrorCode.INVALID_REQUEST, "gpu is '" + engine.gpu() + "' but must be L4");
        }
        return "serve " + engine.servedModelName()
                + (has(Flaw.PLAN_TELLS_TIME) ? " at " + outside.time.instant() : "")
                + (has(Flaw.SECRET_IN_PLAN) ? " with " + engineKey().reveal() : "");
    }

    // Making

    @Override
    public ResourceRef begin(ServerlessPlan plan) {
        contact("begin");
        synchronized (outside) {
            return make(plan.deployment(), plan.resource(), Optional.empty());
        }
    }

    @Override
    public ResourceRef launch(LaunchPlan plan) {
        contact("launch");
        synchronized (outside) {
            String id = has(Flaw.MAKES_ONE_FOR_ALL) ? plan.deployment() : plan.token();
            ResourceRef replica = new ResourceRef("fake", "replica", id);
            Optional<Thing> existing = outside.thing(replica);
            if (existing.isPresent() && !has(Flaw.MAKES_ANOTHER_EACH_TIME)) {
                return replica;
            }
            List<CapacityPool> usable = has(Flaw.DRY_GIVES_UP) ? plan.pools().subList(0, 1) : plan.pools();
            Optional<CapacityPool> pool =
                    usable.stream().filter(one -> !outside.isDry(one)).findFirst();
            if (pool.isEmpty()) {
                throw dry(plan, replica);
            }
            return make(
                    plan.deployment(),
                    replica,
                    has(Flaw.IGNORES_POOLS) ? Optional.of(pools().get(0).pool()) : pool);
        }
    }

    private RuntimeException dry(LaunchPlan plan, ResourceRef replica) {
        if (has(Flaw.DRY_LAUNCHES_ALL_THE_SAME)) {
            make(plan.deployment(), replica, plan.pools().stream().findFirst());
        }
        return has(Flaw.DRY_IS_A_REFUSAL)
                ? ProviderException.of("fake", "launch").build()
                : new CapacityException(ErrorCode.CAPACITY, "fake: no machine in " + plan.pools());
    }

    private ResourceRef make(String deployment, ResourceRef resource, Optional<CapacityPool> pool) {
        makeHelper(deployment);
        ResourceRef made = has(Flaw.MAKES_ANOTHER_EACH_TIME)
                ? new ResourceRef("fake", resource.kind(), resource.id() + "-" + COUNTER.incrementAndGet())
                : resource;
        Optional<Thing> existing = outside.thing(made);
        boolean burnt = has(Flaw.NAME_IS_BURNT) && existing.isPresent();
        if (!burnt && existing.filter(thing -> thing.endedAt == null).isEmpty()) {
            outside.put(thing(made, deployment, pool));
        }
        park(
                made,
                has(Flaw.STAYS_PARKED) && existing.filter(thing -> thing.parked).isPresent());
        madeHere.add(made);
        return made;
    }

    private void makeHelper(String deployment) {
        Thing helper = thing(new ResourceRef("fake", "helper", deployment), deployment, Optional.empty());
        if (has(Flaw.HELPER_DECLARED_LATE)) {
            outside.put(helper);
        }
        if (!has(Flaw.HELPER_UNDECLARED)) {
            try {
                String body = has(Flaw.SECRET_IN_JOURNAL) ? engineKey().reveal() : "a helper";
                context.journal().intend(deployment, helper.ref, body);
            } catch (StoreException e) {
                if (!has(Flaw.HELPER_DESPITE_JOURNAL)) {
                    throw e;
                }
            }
        }
        outside.put(helper);
    }

    private Thing thing(ResourceRef ref, String deployment, Optional<CapacityPool> pool) {
        return new Thing(
                ref,
                deployment,
                has(Flaw.FOUND_WITHOUT_OWNER) ? "" : context.ownerId(),
                outside.time.instant(),
                pool,
                ref.kind().equals("helper") ? null : server(deployment));
    }

    private VllmStandIn server(String deployment) {
        var server = VllmStandIn.builder().servedModelNames(deployment);
        return (has(Flaw.NOT_GUARDED) ? server : server.apiKeys(engineKey())).start();
    }

    // Looking

    @Override
    public ServerlessObservation observe(ResourceRef resource) {
        if (broken() && has(Flaw.UNREACHABLE_IS_GONE)) {
            return ServerlessObservation.gone(Optional.empty());
        }
        contact("observe");
        Optional<Thing> known = known(resource);
        if (known.isEmpty()) {
            return has(Flaw.UNKNOWN_IS_REQUESTED)
                    ? observation(BackendPhase.REQUESTED, Optional.empty(), Optional.empty())
                    : ServerlessObservation.gone(Optional.empty());
        }
        Thing thing = known.get();
        BackendPhase phase = phase(thing);
        if (phase == BackendPhase.GONE) {
            return ServerlessObservation.gone(Optional.of(age(thing)));
        }
        return observation(phase, address(thing, phase), Optional.of(age(thing)));
    }

    private ServerlessObservation observation(
            BackendPhase phase, Optional<BackendAddress> address, Optional<Duration> containerTime) {
        int containers = phase == BackendPhase.DRAINING ? 0 : 1;
        return new ServerlessObservation(
                phase, detail(), address, OptionalInt.of(containers), containerTime, Optional.of(PRICE));
    }

    @Override
    public Map<ResourceRef, ReplicaObservation> observe(Collection<ResourceRef> replicas) {
        Map<ResourceRef, ReplicaObservation> seen = new LinkedHashMap<>();
        for (ResourceRef replica : replicas) {
            if (known(replica).isPresent() || !has(Flaw.UNKNOWN_IS_LEFT_OUT)) {
                seen.put(replica, observeReplica(replica));
            }
        }
        return seen;
    }

    private ReplicaObservation observeReplica(ResourceRef replica) {
        if (broken() && has(Flaw.UNREACHABLE_IS_GONE)) {
            return ReplicaObservation.gone();
        }
        contact("observe");
        Optional<Thing> known = known(replica);
        if (known.isEmpty() && !has(Flaw.UNKNOWN_IS_REQUESTED)) {
            return ReplicaObservation.gone();
        }
        BackendPhase phase = known.map(this::phase).orElse(BackendPhase.REQUESTED);
        Instant ended = known.map(thing -> thing.endedAt).orElse(null);
        return new ReplicaObservation(
                phase,
                detail(),
                known.flatMap(thing -> thing.pool),
                known.flatMap(thing -> address(thing, phase)),
                has(Flaw.HIDES_NOTICE)
                        ? Optional.empty()
                        : known.flatMap(thing -> Optional.ofNullable(thing.noticeFor)),
                has(Flaw.NO_LAUNCH_TIME) ? Optional.empty() : known.map(thing -> thing.madeAt),
                Optional.ofNullable(has(Flaw.METER_RUNS_ON) && ended != null ? outside.time.instant() : ended),
                Optional.of(PRICE),
                has(Flaw.HIDES_RECOMMENDATION)
                        ? Optional.empty()
                        : known.flatMap(thing -> Optional.ofNullable(thing.recommendedAt)),
                Optional.empty());
    }

    private Optional<Thing> known(ResourceRef resource) {
        return outside.thing(resource)
                .filter(thing -> !has(Flaw.FORGETS_ON_RESTART) || madeHere.contains(resource))
                .filter(thing -> !has(Flaw.UNSEEN_AT_FIRST) || !age(thing).isZero());
    }

    private String detail() {
        return has(Flaw.SECRET_IN_DETAIL) ? "key " + engineKey().reveal() : "";
    }

    private BackendPhase phase(Thing thing) {
        Instant ended = thing.endedAt;
        if (ended != null && !has(Flaw.HIDES_LOSS)) {
            long since = Duration.between(ended, outside.time.instant()).toSeconds();
            return since < 2 || (has(Flaw.COMES_BACK) && since > 2) ? BackendPhase.DRAINING : BackendPhase.GONE;
        }
        if (thing.parked && (!has(Flaw.PARK_IS_FORGOTTEN) || madeHere.contains(thing.ref))) {
            return BackendPhase.DRAINING;
        }
        long seconds = age(thing).toSeconds();
        if (seconds < 2) {
            return BackendPhase.REQUESTED;
        }
        if (seconds < 4 || has(Flaw.NEVER_READY)) {
            return has(Flaw.PHASE_GOES_BACK) && seconds == 3 ? BackendPhase.REQUESTED : BackendPhase.BOOTING;
        }
        return BackendPhase.READY;
    }

    private Duration age(Thing thing) {
        Instant ended = thing.endedAt;
        Instant until = ended == null || has(Flaw.METER_RUNS_ON) ? outside.time.instant() : ended;
        return Duration.between(thing.madeAt, until);
    }

    private Optional<BackendAddress> address(Thing thing, BackendPhase phase) {
        VllmStandIn server = thing.server;
        if (phase != BackendPhase.READY || server == null || has(Flaw.NO_ADDRESS)) {
            return Optional.empty();
        }
        URI url = has(Flaw.NOBODY_ANSWERS) ? URI.create("http://127.0.0.1:1") : server.uri();
        return Optional.of(
                new BackendAddress(url, Optional.of(Credential.bearer(engineKey())), "/health", Optional.empty(), 0));
    }

    // Logs, cache, parking

    @Override
    public List<LogLine> logs(ResourceRef resource, int lines) {
        contact("read logs");
        if (known(resource).isEmpty() && !has(Flaw.LOGS_OF_THE_UNKNOWN)) {
            return List.of();
        }
        String key = has(Flaw.SECRET_IN_LOGS) ? engineKey().reveal() : "a key";
        List<LogLine> all = Stream.of("starts", "serves with " + key)
                .map(text -> new LogLine(Optional.of(outside.time.instant()), "one", text))
                .toList();
        int from = has(Flaw.LOGS_ALL) ? 0 : Math.max(0, all.size() - lines);
        return has(Flaw.LOGS_NOTHING) ? List.of() : all.subList(from, all.size());
    }

    @Override
    public void clearCache(ResourceRef resource) {
        contact("clear cache");
        failIfUnknown(resource, Flaw.CLEAR_UNKNOWN_FAILS);
        if (has(Flaw.CLEARS_TOO_MUCH)) {
            outside.things().forEach(one -> outside.end(one.ref));
        }
    }

    @Override
    public void park(ResourceRef resource) {
        contact("park");
        failIfUnknown(resource, Flaw.PARK_UNKNOWN_FAILS);
        if (has(Flaw.PARKS_ALL)) {
            outside.things().forEach(one -> park(one.ref, true));
        }
        park(resource, true);
    }

    @Override
    public void unpark(ResourceRef resource) {
        contact("unpark");
        park(resource, has(Flaw.STAYS_PARKED));
    }

    private void park(ResourceRef resource, boolean parked) {
        outside.thing(resource).ifPresent(thing -> thing.parked = parked);
    }

    private void failIfUnknown(ResourceRef resource, Flaw flaw) {
        if (has(flaw) && known(resource).isEmpty()) {
            throw ProviderException.of("fake", "look").httpStatus(404).build();
        }
    }

    // Ending

    @Override
    public void destroy(ResourceRef resource) {
        end(resource);
    }

    @Override
    public void terminate(ResourceRef replica) {
        end(replica);
    }

    @Override
    public void cleanUp(String deployment) {
        contact("clean up");
        if (has(Flaw.CLEAN_UP_ENDS_ALL)) {
            outside.things().forEach(thing -> outside.end(thing.ref));
        }
        removeHelper(deployment);
    }

    private void end(ResourceRef resource) {
        contact("end");
        Optional<Thing> thing = outside.thing(resource);
        boolean unknown = thing.isEmpty() && has(Flaw.END_UNKNOWN_FAILS);
        boolean twice = thing.filter(one -> one.endedAt != null).isPresent() && has(Flaw.END_TWICE_FAILS);
        if (unknown || twice) {
            throw ProviderException.of("fake", "end").httpStatus(404).build();
        }
        if (has(Flaw.ENDS_ALL)) {
            outside.things().forEach(one -> outside.end(one.ref));
        }
        outside.end(resource);
        if (resource.kind().equals("endpoint")) {
            thing.ifPresent(one -> removeHelper(one.deployment));
        }
    }

    private void removeHelper(String deployment) {
        ResourceRef helper = new ResourceRef("fake", "helper", deployment);
        if (!has(Flaw.HELPER_STAYS)) {
            outside.remove(helper);
        }
        if (!has(Flaw.HELPER_STAYS_IN_JOURNAL)) {
            context.journal().gone(helper);
        }
    }

    @Override
    public List<FoundResource> find() {
        if (broken() && has(Flaw.UNREACHABLE_IS_EMPTY)) {
            return List.of();
        }
        contact("find");
        return outside.things().stream()
                .filter(thing -> thing.endedAt == null || has(Flaw.FINDS_WHAT_IS_GONE))
                .filter(thing -> !has(Flaw.FINDS_OWN_ONLY) || thing.owner.equals(context.ownerId()))
                .map(thing -> new FoundResource(thing.ref, thing.owner, thing.deployment, Optional.of(thing.madeAt)))
                .toList();
    }

    @Override
    public void close() {
        if (closed && has(Flaw.CLOSE_TWICE_FAILS)) {
            throw new IllegalStateException("closed already");
        }
        closed = true;
        if (has(Flaw.CLOSE_ENDS_ALL)) {
            outside.things().forEach(thing -> outside.end(thing.ref));
        }
    }

    @Override
    public String toString() {
        return has(Flaw.SECRET_IN_TEXT) ? "fake cloud with " + engineKey().reveal() : "fake cloud";
    }
}
