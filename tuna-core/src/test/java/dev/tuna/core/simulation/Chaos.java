package dev.tuna.core.simulation;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.Tier;
import dev.tuna.testkit.cloud.model.ReplicaView;
import dev.tuna.testkit.cloud.simulated.CallFault;
import dev.tuna.testkit.cloud.simulated.CloudCall;
import dev.tuna.testkit.cloud.simulated.CloudCall.Operation;
import dev.tuna.testkit.cloud.simulated.SimulatedCloud;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/** What goes wrong, and what people do, in a storm; in a calm nothing goes wrong. Confined to the thread of the time. */
final class Chaos {

    /** What a storm leaves behind is over by then. */
    static final Duration QUIET = Duration.ofMinutes(30);

    private static final Duration LAST_NOTICE = Duration.ofMinutes(150);

    private static final Set<Operation> MAKING =
            EnumSet.of(Operation.PUT_ENDPOINT, Operation.LAUNCH, Operation.TERMINATE, Operation.DELETE_ENDPOINT);

    private final World world;
    private final SplittableRandom random;
    private final SplittableRandom calls;
    private final boolean crashes;
    private final boolean jumps;
    private final boolean storeFails;
    private final boolean pricesMove;
    private final boolean peopleMove;
    private final double usualFaults;
    private final Map<String, Double> faultRate = new HashMap<>();
    private final Consumer<CloudCall> watch;
    private boolean storm;
    private int weather;
    private int armed;
    private long faults;
    private long calmSince;

    Chaos(World world, SplittableRandom random, Consumer<CloudCall> watch) {
        this.world = world;
        this.random = random;
        this.calls = random.split();
        this.watch = watch;
        crashes = random.nextInt(4) > 0;
        jumps = random.nextInt(4) == 0;
        storeFails = random.nextInt(2) == 0;
        pricesMove = random.nextInt(2) == 0;
        peopleMove = random.nextInt(3) > 0;
        usualFaults = List.of(0.0, 0.005, 0.05).get(random.nextInt(3));
        world.faults(this::faultOf);
        world.undisturbed(() -> calmFor().compareTo(QUIET) > 0);
    }

    long faults() {
        return faults;
    }

    boolean jumps() {
        return jumps;
    }

    boolean pricesMove() {
        return pricesMove;
    }

    Duration calmFor() {
        return storm ? Duration.ZERO : Duration.ofNanos(world.time.nanoTime() - calmSince);
    }

    void storm() {
        world.trace.add("storm");
        storm = true;
        weather++;
        double meanMinutes = 2 + random.nextInt(40);
        next(weather, meanMinutes);
    }

    private void next(int mine, double meanMinutes) {
        Duration pause = Duration.ofNanos(1 + (long) (-Math.log(1 - random.nextDouble()) * meanMinutes * 60e9));
        world.later(pause, () -> {
            if (mine == weather) {
                happen();
                next(mine, meanMinutes);
            }
        });
    }

    /** Everything works from now on, and the controller is up. What has been broken by then stays broken. */
    void calm() {
        world.trace.add("calm");
        storm = false;
        weather++;
        armed = 0;
        faultRate.clear();
        world.storeBroken(false);
        world.slow(false);
        for (SimulatedCloud cloud : world.clouds()) {
            cloud.engineStart(Duration.ZERO);
            cloud.setColdStart(World.COLD_START);
            World.POOLS.forEach(pool -> {
                cloud.setCapacity(pool, 8);
                cloud.setBootDelay(pool, World.BOOT);
                cloud.failBoots(pool, 0);
            });
            cloud.running().endpoints().stream()
                    .filter(endpoint -> endpoint.phase() != BackendPhase.DRAINING)
                    .forEach(endpoint -> cloud.failBoots(endpoint.name(), 0));
        }
        if (!world.isUp()) {
            world.start();
        }
        calmSince = world.time.nanoTime();
        notices(weather);
    }

    /** Two minutes' notice, or the advice to leave a machine, is nothing out of the ordinary: nobody may be harmed by it. */
    private void notices(int mine) {
        world.later(QUIET.plus(minutes(60)), () -> {
            if (mine == weather && calmFor().compareTo(LAST_NOTICE) < 0) {
                spotReplica().ifPresent(replica -> {
                    if (random.nextBoolean()) {
                        recommend(replica);
                    } else {
                        interrupt(replica, Duration.ofMinutes(2));
                        world.later(Duration.ofMinutes(1), () -> isLeftAlone(replica));
                    }
                });
                notices(mine);
            }
        });
    }

    /** Something has just been written. */
    void written() {
        armedMoment("a write");
    }

    private Optional<CallFault> faultOf(CloudCall call) {
        watch.accept(call);
        boolean makes = MAKING.contains(call.operation());
        if (makes) {
            world.trace.add(call.provider() + " " + call.operation() + " " + call.target());
            armedMoment("a call");
        }
        if (!storm) {
            return Optional.empty();
        }
        double rate = faultRate.getOrDefault(call.provider(), usualFaults);
        if (rate == 0 || calls.nextDouble() >= rate) {
            return Optional.empty();
        }
        faults++;
        int kind = calls.nextInt(20);
        if (makes) {
            world.trace.add("  fault " + kind);
        }
        return Optional.of(fault(kind));
    }

    private static CallFault fault(int kind) {
        return switch (kind) {
            case 0, 1, 2, 3 -> CallFault.status(500);
            case 4, 5 -> CallFault.status(429);
            case 6, 7, 8 -> CallFault.timeout();
            case 9, 10, 11, 12, 13 -> CallFault.lostAnswer();
            case 14, 15 -> CallFault.neverReturns(false);
            case 16, 17, 18 -> CallFault.neverReturns(true);
            default -> CallFault.status(403);
        };
    }

    /** A kill that was put off to a moment between a write and what follows it, or between a call and its answer. */
    private void armedMoment(String what) {
        if (armed > 0 && --armed == 0) {
            Duration down = minutes(20);
            world.later(Duration.ZERO, () -> kill("at " + what, down));
        }
    }

    private Duration minutes(int most) {
        return Duration.ofSeconds(random.nextInt(most * 60 + 1));
    }

    private void happen() {
        faults++;
        switch (random.nextInt(26)) {
            case 0, 1 -> interrupt();
            case 2, 3 -> replica().ifPresent(replica -> lose(world.first, replica.id()));
            case 4 -> container().ifPresent(one -> lose(one.cloud(), one.id()));
            case 5 ->
                engine().ifPresent(replica -> {
                    world.trace.add("engine of " + replica.id() + " exits");
                    world.first.endEngine(replica.address().orElseThrow());
                });
            case 6 ->
                engine().ifPresent(replica -> {
                    world.trace.add("engine of " + replica.id() + " hangs");
                    world.first.hangEngine(replica.address().orElseThrow());
                });
            case 7 -> runDry();
            case 8 -> movePrices();
            case 9 -> failBoots();
            case 10 -> bootSlowly();
            case 11 -> wakeSlowly();
            case 12, 13, 14 -> breakApi();
            case 15 -> breakStore();
            case 16 -> restart();
            case 17, 18 -> crash();
            case 19 -> jump();
            case 20, 21, 22 -> people();
            case 23, 24 -> spotReplica().ifPresent(this::recommend);
            default -> {
                world.slow(true);
                world.later(minutes(30), () -> world.slow(false));
            }
        }
    }

    private Optional<ReplicaView> replica() {
        return any(world.replicas().stream()
                .filter(replica -> replica.phase() != BackendPhase.DRAINING)
                .toList());
    }

    private Optional<ReplicaView> engine() {
        return any(world.replicas().stream()
                .filter(replica -> replica.phase() == BackendPhase.READY)
                .toList());
    }

    private record Found(SimulatedCloud cloud, String id) {}

    private Optional<Found> container() {
        return any(world.clouds().stream()
                .flatMap(cloud -> cloud.running().endpoints().stream()
                        .flatMap(endpoint -> endpoint.containers().stream())
                        .map(container -> new Found(cloud, container.id())))
                .toList());
    }

    private <T> Optional<T> any(List<T> all) {
        return all.isEmpty() ? Optional.empty() : Optional.of(all.get(random.nextInt(all.size())));
    }

    private String pool() {
        return World.POOLS.get(random.nextInt(World.POOLS.size()));
    }

    private void isLeftAlone(ReplicaView replica) {
        boolean chosen = world.router()
                .filter(router -> replica.address().filter(router::isChosen).isPresent())
                .isPresent();
        if (chosen) {
            world.violated(replica.id() + " is sent requests a minute after notice was given");
        }
    }

    private void interrupt() {
        Duration notice = Duration.ofSeconds(List.of(0, 10, 30, 120, 120, 120).get(random.nextInt(6)));
        spotReplica().ifPresent(replica -> interrupt(replica, notice));
    }

    private Optional<ReplicaView> spotReplica() {
        return replica().filter(replica -> replica.pool().endsWith(Tier.SPOT.name()));
    }

    private void interrupt(ReplicaView replica, Duration notice) {
        world.trace.add("interruption of " + replica.id() + " in " + notice);
        world.first.interrupt(replica.id(), notice);
    }

    /** What is recommended to be left is taken in an hour or so, or it is not. */
    private void recommend(ReplicaView replica) {
        world.trace.add("advice to leave " + replica.id());
        world.first.recommendRebalance(replica.id());
        int mine = weather;
        if (random.nextBoolean()) {
            world.later(minutes(90), () -> {
                boolean there = world.replicas().stream()
                        .anyMatch(each -> each.id().equals(replica.id()) && each.phase() != BackendPhase.DRAINING);
                if (there && mine == weather && (storm || calmFor().compareTo(LAST_NOTICE) < 0)) {
                    interrupt(replica, Duration.ofMinutes(2));
                }
            });
        }
    }

    private void lose(SimulatedCloud cloud, String id) {
        world.trace.add(id + " is lost");
        cloud.lose(id);
    }

    private void runDry() {
        String pool = pool();
        int left = random.nextInt(2);
        world.trace.add(pool + " has room for " + left);
        world.first.setCapacity(pool, left);
        soon(minutes(120), () -> world.first.setCapacity(pool, 8));
    }

    private void soon(Duration delay, Runnable mend) {
        int mine = weather;
        world.later(delay, () -> {
            if (mine == weather) {
                mend.run();
            }
        });
    }

    private void movePrices() {
        if (!pricesMove) {
            return;
        }
        BigDecimal price = BigDecimal.valueOf(10 + random.nextInt(90), 2);
        if (random.nextBoolean()) {
            String pool = pool();
            world.trace.add(pool + " costs " + price);
            world.first.setPrice(pool, price);
        } else {
            world.trace.add("serverless costs " + price);
            any(world.clouds()).ifPresent(cloud -> cloud.setServerlessPrice("L4", price));
        }
    }

    private void failBoots() {
        int times = 1 + random.nextInt(6);
        if (random.nextBoolean()) {
            String pool = pool();
            world.trace.add(times + " boots in " + pool + " will fail");
            world.first.failBoots(pool, times);
        } else {
            any(world.clouds())
                    .ifPresent(cloud -> any(cloud.running().endpoints()).ifPresent(endpoint -> {
                        if (endpoint.phase() != BackendPhase.DRAINING) {
                            world.trace.add(times + " containers of " + endpoint.name() + " will fail to boot");
                            cloud.failBoots(endpoint.name(), times);
                        }
                    }));
        }
    }

    private void bootSlowly() {
        String pool = pool();
        Duration delay = random.nextBoolean() ? Duration.ofMinutes(15) : Duration.ofHours(3);
        if (random.nextInt(4) == 0) {
            world.trace.add("model servers need 10 minutes");
            world.first.engineStart(Duration.ofMinutes(10));
            soon(minutes(30), () -> world.first.engineStart(Duration.ZERO));
        } else {
            world.trace.add("boots in " + pool + " need " + delay);
            world.first.setBootDelay(pool, delay);
            soon(minutes(60), () -> world.first.setBootDelay(pool, World.BOOT));
        }
    }

    private void wakeSlowly() {
        any(world.clouds()).ifPresent(cloud -> {
            world.trace.add("cold starts need 8 minutes");
            cloud.setColdStart(Duration.ofMinutes(8));
            soon(minutes(60), () -> cloud.setColdStart(World.COLD_START));
        });
    }

    private void breakApi() {
        String provider = List.of("first", "second", "spot").get(random.nextInt(3));
        double rate = List.of(0.1, 0.5, 1.0).get(random.nextInt(3));
        world.trace.add("calls of " + provider + " fail at a rate of " + rate);
        faultRate.put(provider, rate);
        soon(minutes(30), () -> faultRate.remove(provider));
    }

    private void breakStore() {
        if (storeFails) {
            world.trace.add("the disk is full");
            world.storeBroken(true);
            soon(minutes(15), () -> {
                world.trace.add("the disk has room");
                world.storeBroken(false);
            });
        }
    }

    private void restart() {
        if (world.isUp()) {
            world.close("maintenance");
            startAfter(minutes(5));
        }
    }

    private void crash() {
        if (!crashes) {
            return;
        }
        if (random.nextBoolean()) {
            armed = 1 + random.nextInt(8);
        } else {
            kill("at any moment", minutes(30));
        }
    }

    private void kill(String when, Duration down) {
        if (world.isUp()) {
            world.kill(when);
            startAfter(down);
        }
    }

    private void startAfter(Duration down) {
        world.later(down, () -> {
            if (!world.isUp()) {
                world.start();
            }
        });
    }

    private void jump() {
        if (jumps) {
            Duration by = Duration.ofSeconds(random.nextInt(random.nextBoolean() ? 60 : 86_400))
                    .multipliedBy(random.nextBoolean() ? 1 : -1);
            world.trace.add("the wall clock jumps by " + by);
            world.time.jump(by);
        }
    }

    private void people() {
        if (!peopleMove) {
            return;
        }
        List<Deployment> live = world.deployments();
        if (random.nextBoolean()) {
            any(live).ifPresent(one -> world.redeploy(request(one.name())));
        } else if (random.nextBoolean() && !live.isEmpty()) {
            Deployment one = live.get(random.nextInt(live.size()));
            world.trace.add("destroy of " + one.name());
            var unused = one.destroy();
        } else {
            deploy().filter(made -> random.nextInt(3) == 0)
                    .ifPresent(made -> soon(
                            Duration.ofMillis(random.nextInt(120_000)),
                            () -> world.deployments().stream()
                                    .filter(one -> one.name().equals(made.name()))
                                    .forEach(one -> {
                                        world.trace.add("destroy of " + one.name() + ", just deployed");
                                        var unused = one.destroy();
                                    })));
        }
    }

    /** Deploys something under one of the names, perhaps one that is taken. */
    Optional<Deployment> deploy() {
        return world.deploy(request(World.NAMES.get(random.nextInt(World.NAMES.size()))));
    }

    private DeployRequest request(String name) {
        int most = 1 + random.nextInt(4);
        var spot = ScalingPolicy.Spot.builder()
                .minReplicas(random.nextInt(3) == 0 ? 1 + random.nextInt(most) : 0)
                .maxReplicas(most)
                .targetQps(List.of(0.02, 0.1, 1.0, 10.0).get(random.nextInt(4)))
                .upscaleDelay(Duration.ofSeconds(List.of(0, 5, 60).get(random.nextInt(3))))
                .downscaleDelay(Duration.ofSeconds(List.of(0, 60, 300, 1200).get(random.nextInt(4))))
                .build();
        int workers = random.nextInt(8) == 0 ? 1 : 0;
        var serverless = ScalingPolicy.Serverless.builder()
                .concurrency(List.of(1, 4, 32).get(random.nextInt(3)))
                .scaledownWindow(Duration.ofSeconds(List.of(10, 60, 300).get(random.nextInt(3))))
                .workersMin(workers)
                .workersMax(Math.max(workers, 1 + random.nextInt(3)))
                .build();
        List<List<String>> choices =
                List.of(List.of("first"), List.of("second"), List.of("first", "second"), List.of());
        return DeployRequest.builder("model/" + name, "L4")
                .serviceName(name)
                .serverlessProviders(choices.get(random.nextInt(choices.size())))
                .scaling(new ScalingPolicy(spot, serverless))
                .serverlessOnly(random.nextInt(6) == 0)
                .noScaleToZero(random.nextInt(6) == 0)
                .publicAccess(random.nextInt(6) == 0)
                .build();
    }
}
