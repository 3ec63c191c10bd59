package dev.tuna.core.replay;

import dev.tuna.api.ScalingPolicy;
import java.util.Comparator;
import java.util.List;

/** Machines at list price, as many as the autoscaler asks for and one at least; what none can take waits for one. */
final class AllOnDemand extends RoutedPolicy {

    private final Clockwork scaling = new Clockwork(ScalingPolicy.Spot.builder()
            .minReplicas(1)
            .maxReplicas(Parameters.MAX_REPLICAS)
            .targetQps(Parameters.TARGET_QPS)
            .build());

    @Override
    public String name() {
        return "all on demand";
    }

    @Override
    public void tick(World world) {
        int target = scaling.decide(world).target();
        for (int have = world.machines.size(); have < target; have++) {
            world.launchOnDemand(0);
        }
        List<Machine> surplus = serving(world)
                .sorted(Comparator.comparingInt((Machine machine) -> machine.inFlight))
                .limit(Math.max(0, serving(world).count() - target))
                .toList();
        surplus.forEach(machine -> machine.draining = true);
        List.copyOf(world.machines).stream()
                .filter(machine -> machine.draining && machine.inFlight == 0)
                .forEach(world::end);
        queued(world);
    }

    @Override
    public void send(World world, Job job) {
        var machine = best(world);
        if (machine.isPresent()) {
            world.start(job, machine.get());
        } else {
            world.waiting.add(job);
        }
    }

    @Override
    public void ready(World world, Machine machine) {
        scaling.ready(world);
        queued(world);
    }

    /** The waiting room empties as machines have room; looked at every second, as requests end. */
    private static void queued(World world) {
        while (!world.waiting.isEmpty()) {
            var machine = best(world);
            if (machine.isEmpty()) {
                return;
            }
            world.start(world.waiting.remove(), machine.get());
        }
    }

    @Override
    public long tickMillis() {
        return 1000;
    }
}
