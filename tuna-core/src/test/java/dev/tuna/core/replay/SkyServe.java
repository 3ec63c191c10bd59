package dev.tuna.core.replay;

import dev.tuna.api.Tier;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * SkyServe's policy as its sources say: request rate over 60 s, decisions every 20 s with counters of 300 s up and 1200 s down,
 * one spot replica more than asked for, machines at list price for what is not ready yet, and the spot placer. Clients' requests
 * are tried three times while nothing is ready, and streams of a machine that is taken are lost. Taken in its favour: its
 * controller machine costs nothing, a dead machine is left out at the first refused connection, and a queue in a machine has no
 * end.
 */
final class SkyServe implements Policy {

    private static final long TICK = 20_000;
    private static final int OVERPROVISION = 1;
    private static final int UP_TICKS = 15;
    private static final int DOWN_TICKS = 60;

    private final ArrayDeque<Long> recent = new ArrayDeque<>();
    private final Set<Integer> preempted = new HashSet<>();
    private final Set<Machine> known = new HashSet<>();
    private int target = 1;
    private int up;
    private int down;

    @Override
    public String name() {
        return "SkyServe, with fallback";
    }

    @Override
    public long tickMillis() {
        return TICK;
    }

    @Override
    public void tick(World world) {
        known.removeIf(machine -> machine.gone);
        world.machines.stream().filter(machine -> machine.ready).forEach(known::add);
        scale(world);
        List<Machine> spot = alive(world, Tier.SPOT);
        List<Machine> onDemand = alive(world, Tier.ON_DEMAND);
        int spotWanted = target + OVERPROVISION;
        int ready = (int) spot.stream().filter(machine -> machine.ready).count();
        int onDemandWanted = Math.min(target, Math.max(0, spotWanted - ready));
        for (int missing = spotWanted - spot.size(); missing > 0; missing--) {
            launch(world);
        }
        for (int missing = onDemandWanted - onDemand.size(); missing > 0; missing--) {
            world.launchOnDemand(0);
        }
        drain(world, spot, spotWanted);
        drain(world, onDemand, onDemandWanted);
    }

    private void scale(World world) {
        while (!recent.isEmpty() && recent.peek() < world.now - 60_000) {
            recent.remove();
        }
        int desired = (int) Math.ceil(recent.size() / 60.0 / Parameters.TARGET_QPS);
        desired = Math.max(1, Math.min(Parameters.MAX_REPLICAS, desired));
        up = desired > target ? up + 1 : 0;
        down = desired < target ? down + 1 : 0;
        if (up >= UP_TICKS || down >= DOWN_TICKS) {
            target = desired;
            up = 0;
            down = 0;
        }
    }

    private static List<Machine> alive(World world, Tier tier) {
        return new ArrayList<>(world.machines.stream()
                .filter(machine -> machine.tier == tier && !machine.draining)
                .toList());
    }

    /** Of one kind too many: those that boot first, then the newest; each is given two minutes. */
    private static void drain(World world, List<Machine> machines, int wanted) {
        machines.stream()
                .sorted(Comparator.comparing((Machine machine) -> machine.ready)
                        .thenComparing(machine -> machine.id, Comparator.reverseOrder()))
                .limit(Math.max(0, machines.size() - wanted))
                .forEach(machine -> {
                    machine.draining = true;
                    world.at(world.now + 120_000, () -> world.end(machine));
                });
    }

    private void launch(World world) {
        Set<Integer> used = new HashSet<>();
        world.machines.forEach(machine -> used.add(machine.zone));
        List<Integer> active = IntStream.range(0, world.supply.zones.size())
                .boxed()
                .filter(zone -> !preempted.contains(zone))
                .toList();
        Comparator<Integer> cheapest = Comparator.comparingDouble(world::spotPrice);
        Optional<Integer> pick = active.stream()
                .filter(zone -> !used.contains(zone))
                .min(cheapest)
                .or(() -> active.stream().min(cheapest));
        pick.ifPresent(zone -> {
            if (world.launchSpot(zone).isPresent()) {
                preempted.remove(zone);
            } else {
                avoid(world, zone);
            }
        });
    }

    private void avoid(World world, int zone) {
        preempted.add(zone);
        if (world.supply.zones.size() - preempted.size() < 2) {
            preempted.clear();
        }
    }

    @Override
    public void send(World world, Job job) {
        if (job.attempts == 0) {
            recent.add(world.now);
        }
        Optional<Machine> machine = known.stream()
                .filter(Machine::takesWork)
                .min(Comparator.comparingInt((Machine each) -> each.inFlight + each.queue.size())
                        .thenComparingInt(each -> each.id));
        if (machine.isPresent()) {
            if (machine.get().hasRoom()) {
                world.start(job, machine.get());
            } else {
                machine.get().queue.add(job);
            }
            return;
        }
        job.attempts++;
        if (job.attempts == 3) {
            world.fail(job);
        } else {
            world.at(world.now + (job.attempts == 1 ? 1000 : 1600), () -> send(world, job));
        }
    }

    @Override
    public void gone(World world, Machine machine) {
        if (machine.tier == Tier.SPOT) {
            avoid(world, machine.zone);
        }
    }
}
