package dev.tuna.core.replay;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.Tier;
import dev.tuna.core.autoscale.LastReplica;
import dev.tuna.core.autoscale.ScalingDecision;
import dev.tuna.core.ledger.ContainerMeter;
import dev.tuna.core.ledger.ContainerRules;
import dev.tuna.core.placement.OnDemandFallback;
import dev.tuna.core.placement.Placement;
import dev.tuna.core.placement.PoolHistory;
import dev.tuna.core.placement.Spare;
import dev.tuna.core.reconcile.FleetAction;
import dev.tuna.core.reconcile.Reconciler;
import dev.tuna.core.reconcile.ReplicaView;
import dev.tuna.core.reconcile.ReplicaView.Stage;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.PoolOffer;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;

/** Tuna's own decisions, taken by the code that takes them in production; only what carries them out is made up. */
final class Ours extends RoutedPolicy {

    private static final Duration BOOT = Duration.ofSeconds((long) Parameters.BOOT_SECONDS);
    private static final Duration COLD_START = Duration.ofSeconds((long) Parameters.COLD_START_SECONDS);
    private static final Duration BOOT_DEADLINE = Duration.ofMinutes(20);
    private static final long WAKE_LIMIT = 30_000;

    private final String name;
    private final Optional<Duration> firstToken;
    private final Clockwork scaling;
    private final ContainerRules rules = new ContainerRules(
            Parameters.CONCURRENCY,
            Duration.ofSeconds((long) Parameters.SCALEDOWN_SECONDS),
            0,
            Integer.MAX_VALUE,
            Duration.ZERO);
    private ContainerMeter same = ContainerMeter.start(rules, Clockwork.instant(0));
    private LastReplica last;
    private PoolHistory history = PoolHistory.NONE;
    private Optional<Instant> drySince = Optional.empty();
    private final Set<Machine> noted = new HashSet<>();
    private double spotUsd;
    private long arrived;

    Ours(String name, Optional<Duration> firstToken) {
        this.name = name;
        this.firstToken = firstToken;
        this.scaling = new Clockwork(ScalingPolicy.Spot.builder()
                .maxReplicas(Parameters.MAX_REPLICAS)
                .targetQps(Parameters.TARGET_QPS)
                .build());
        this.last = LastReplica.begin(Clockwork.instant(0), scaling.policy.downscaleDelay());
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void tick(World world) {
        notices(world);
        int target = target(world);
        for (FleetAction action : Reconciler.reconcile(
                target, scaling.policy.maxReplicas(), views(world), BOOT_DEADLINE, Clockwork.instant(world.now))) {
            act(world, action, target);
        }
        replaceListPrice(world);
        if (last.keepsFirstTokens() && serving(world).findAny().isEmpty()) {
            world.wakeServerless();
        }
    }

    private void notices(World world) {
        for (Machine machine : world.machines) {
            if (machine.noticeOf != Machine.NEVER && noted.add(machine)) {
                history = history.lost(pool(world, machine), held(world, machine), Clockwork.instant(world.now));
            }
        }
        noted.removeIf(machine -> machine.gone);
    }

    private int target(World world) {
        Instant now = Clockwork.instant(world.now);
        ScalingDecision decision = scaling.decide(world);
        if (world.arrived != arrived) {
            same = same.step(rules, now, Math.max(1, world.present()));
            arrived = world.arrived;
        }
        same = same.step(rules, now, world.present());
        boolean young = world.machines.stream()
                .anyMatch(machine -> !machine.ready
                        || machine.readyAt + scaling.policy.downscaleDelay().toMillis() > world.now);
        last = last.step(
                new LastReplica.Sight(
                        scaling.policy.downscaleDelay(),
                        costRatio(world),
                        same.time(),
                        same.running(rules, now) > 0,
                        world.arrived,
                        COLD_START,
                        firstToken,
                        (young && last.pays()) || decision.target() > 1),
                now);
        int asked = decision.target() > 1 ? decision.target() : last.wanted(decision.target()) ? 1 : 0;
        List<CapacityPool> places = world.machines.stream()
                .filter(machine -> !machine.draining)
                .map(machine -> pool(world, machine))
                .toList();
        int spare = asked == 0
                ? 0
                : Spare.replicas(places, history, costRatio(world), last.containers() / asked, BOOT, now);
        return Math.min(scaling.policy.maxReplicas(), asked + spare);
    }

    private OptionalDouble costRatio(World world) {
        double price = world.machines.stream()
                .filter(RoutedPolicy::isSpot)
                .mapToDouble(machine -> world.spotPrice(machine.zone))
                .average()
                .orElse(spotUsd);
        return price == 0 ? OptionalDouble.empty() : OptionalDouble.of(world.serverlessUsd / price);
    }

    private List<ReplicaView> views(World world) {
        var views = new ArrayList<ReplicaView>();
        for (Machine machine : world.machines) {
            Stage stage = machine.draining ? Stage.DRAINING : machine.ready ? Stage.READY : Stage.BOOTING;
            double price = machine.tier == Tier.SPOT ? world.spotPrice(machine.zone) : Parameters.ON_DEMAND_USD;
            views.add(new ReplicaView(
                    Integer.toString(machine.id),
                    machine.tier,
                    stage,
                    "",
                    machine.ready ? BackendPhase.READY : BackendPhase.BOOTING,
                    Clockwork.instant(machine.ready ? machine.readyAt : machine.askedAt),
                    machine.noticeOf != Machine.NEVER,
                    false,
                    machine.draining
                            ? Optional.of(Clockwork.instant(Math.min(
                                    machine.drainingSince + 120_000,
                                    machine.noticeOf == Machine.NEVER ? Long.MAX_VALUE / 4 : machine.noticeOf - 5000)))
                            : Optional.empty(),
                    machine.inFlight,
                    OptionalLong.of(Math.round(price * 1e6))));
        }
        return views;
    }

    private void act(World world, FleetAction action, int target) {
        if (action instanceof FleetAction.Launch launch) {
            for (int i = 0; i < launch.count(); i++) {
                launch(world, onDemandPays(world, target));
            }
        } else if (action instanceof FleetAction.Drain drain) {
            drain(world, machine(world, drain.id()));
        } else if (action instanceof FleetAction.End end) {
            Machine machine = machine(world, end.id());
            if (machine.noticeOf != Machine.NEVER && machine.inFlight == 0) {
                return; // it is left to its cloud
            }
            if (machine.noticeOf == Machine.NEVER) {
                history = history.kept(pool(world, machine), held(world, machine), Clockwork.instant(world.now));
            }
            world.end(machine);
        }
    }

    /** A machine that will be taken goes on until something else is warm, if it is the last one. */
    private static void drain(World world, Machine machine) {
        boolean alone = serving(world).noneMatch(other -> other != machine && other.noticeOf == Machine.NEVER);
        if (machine.noticeOf != Machine.NEVER && alone && world.present() > 0) {
            world.wakeServerless();
        }
        if (machine.noticeOf != Machine.NEVER
                && alone
                && world.present() > 0
                && !world.hasWarmContainer()
                && world.now < machine.noticeOf - WAKE_LIMIT) {
            return;
        }
        machine.draining = true;
        machine.drainingSince = world.now;
    }

    private static Machine machine(World world, String id) {
        return world.machines.stream()
                .filter(each -> Integer.toString(each.id).equals(id))
                .findFirst()
                .orElseThrow();
    }

    private boolean onDemandPays(World world, int target) {
        return OnDemandFallback.pays(
                OptionalLong.of(Math.round(world.serverlessUsd * 1e6)),
                OptionalLong.of(Math.round(Parameters.ON_DEMAND_USD * 1e6)),
                last.containers() / Math.max(1, target),
                drySince.map(since -> Duration.between(since, Clockwork.instant(world.now)))
                        .orElse(Duration.ZERO),
                BOOT);
    }

    /** Asks as one call does that names all pools, best first. */
    private void launch(World world, boolean onDemandAllowed) {
        Instant now = Clockwork.instant(world.now);
        List<CapacityPool> fleet =
                world.machines.stream().map(machine -> pool(world, machine)).toList();
        List<CapacityPool> order = Placement.leastTroubled(
                Placement.order(offers(world), fleet, history, BOOT, onDemandAllowed, now), history, now);
        if (order.isEmpty()) {
            return;
        }
        if (order.get(0).tier() == Tier.ON_DEMAND) {
            world.launchOnDemand(zone(world, order.get(0)));
            return;
        }
        for (CapacityPool pool : order) {
            if (world.launchSpot(zone(world, pool)).isPresent()) {
                spotUsd = world.spotPrice(zone(world, pool));
                drySince = Optional.empty();
                return;
            }
        }
        history = history.dry(order, now);
        drySince = drySince.or(() -> Optional.of(now));
    }

    /** Machines at list price stay until spot has taken over, for which a full fleet has room for one more. */
    private void replaceListPrice(World world) {
        boolean listPrice = serving(world).anyMatch(machine -> machine.tier == Tier.ON_DEMAND);
        boolean booting = world.machines.stream().anyMatch(machine -> !machine.ready);
        if (listPrice && !booting && world.machines.size() <= scaling.policy.maxReplicas()) {
            launch(world, false);
        }
    }

    private static List<PoolOffer> offers(World world) {
        var offers = new ArrayList<PoolOffer>();
        Instant now = Clockwork.instant(world.now);
        for (int zone = 0; zone < world.supply.zones.size(); zone++) {
            offers.add(new PoolOffer(
                    pool(world, zone, Tier.SPOT),
                    "L4",
                    1,
                    Optional.of(BigDecimal.valueOf(world.spotPrice(zone))),
                    now,
                    "replay"));
            offers.add(new PoolOffer(
                    pool(world, zone, Tier.ON_DEMAND),
                    "L4",
                    1,
                    Optional.of(BigDecimal.valueOf(Parameters.ON_DEMAND_USD)),
                    now,
                    "replay"));
        }
        return offers;
    }

    private static CapacityPool pool(World world, Machine machine) {
        return pool(world, machine.zone, machine.tier);
    }

    private static CapacityPool pool(World world, int zone, Tier tier) {
        Zone where = world.supply.zones.get(zone);
        return new CapacityPool("aws", where.region(), where.name(), "g6.xlarge", tier);
    }

    private static int zone(World world, CapacityPool pool) {
        return world.supply.zones.indexOf(Zone.of(pool.zone()));
    }

    private static Duration held(World world, Machine machine) {
        return Duration.ofMillis(world.now - machine.askedAt);
    }

    @Override
    public void gone(World world, Machine machine) {
        if (!noted.contains(machine)) {
            history = history.lost(pool(world, machine), held(world, machine), Clockwork.instant(world.now));
        }
    }

    @Override
    public void ready(World world, Machine machine) {
        if (machine.tier != Tier.SERVERLESS) {
            scaling.ready(world);
        }
    }
}
