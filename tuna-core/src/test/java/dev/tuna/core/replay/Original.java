package dev.tuna.core.replay;

import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The original's policy: serverless beside a SkyServe service of one region with spot alone, from none to five replicas, up
 * after one decision and down after three of 20 s each, no placer and no fallback. Its router has one state for the whole fleet:
 * when it is ready everything goes there, however long the queue; a failed request makes it cold until the next look; more than
 * 60 s without a request make it cold too. Streams of a machine that is taken are lost. Taken in its favour: its controller and
 * router machines cost nothing, it looks every 5 s, serverless may have five containers instead of one, and what had not begun
 * to answer goes to serverless.
 */
final class Original implements Policy {

    private static final long TICK = 20_000;
    private static final int DOWN_TICKS = 3;

    private final ArrayDeque<Long> recent = new ArrayDeque<>();
    private int target;
    private int down;
    private boolean cold = true;
    private long lastRequest = Long.MIN_VALUE / 2;
    private long scaledAt = Long.MIN_VALUE / 2;

    @Override
    public String name() {
        return "the original";
    }

    @Override
    public long tickMillis() {
        return 5000;
    }

    @Override
    public void tick(World world) {
        cold = world.machines.stream().noneMatch(Machine::takesWork);
        if (world.now - scaledAt < TICK) {
            return;
        }
        scaledAt = world.now;
        while (!recent.isEmpty() && recent.peek() < world.now - 60_000) {
            recent.remove();
        }
        boolean booting = world.machines.stream().anyMatch(machine -> !machine.ready);
        // While something boots the router asks for it all the time, which counts as traffic.
        double rate = recent.size() / 60.0 + (booting ? 0.2 : 0);
        int desired = Math.min(Parameters.MAX_REPLICAS, (int) Math.ceil(rate / Parameters.TARGET_QPS));
        down = desired < target ? down + 1 : 0;
        if (desired > target || down >= DOWN_TICKS) {
            target = desired;
            down = 0;
        }
        List<Machine> alive =
                world.machines.stream().filter(machine -> !machine.draining).toList();
        for (int missing = target - alive.size(); missing > 0; missing--) {
            IntStream.range(0, world.supply.zones.size())
                    .boxed()
                    .filter(zone -> world.supply.zones.get(zone).region().equals("us-east-1"))
                    .sorted(Comparator.comparingDouble(world::spotPrice))
                    .filter(world::isObtainable)
                    .findFirst()
                    .ifPresent(world::launchSpot);
        }
        alive.stream()
                .sorted(Comparator.comparing((Machine machine) -> machine.ready)
                        .thenComparing(machine -> machine.id, Comparator.reverseOrder()))
                .limit(Math.max(0, alive.size() - target))
                .forEach(machine -> {
                    machine.draining = true;
                    world.at(world.now + 120_000, () -> world.end(machine));
                });
    }

    @Override
    public void send(World world, Job job) {
        boolean idle = world.now - lastRequest > 60_000;
        lastRequest = world.now;
        recent.add(world.now);
        Optional<Machine> machine = cold || idle
                ? Optional.empty()
                : world.machines.stream()
                        .filter(Machine::takesWork)
                        .min(Comparator.comparingInt((Machine each) -> each.inFlight + each.queue.size()));
        if (machine.isEmpty()) {
            world.toServerless(job);
        } else if (machine.get().hasRoom()) {
            world.start(job, machine.get());
        } else {
            machine.get().queue.add(job);
        }
    }

    @Override
    public void lost(World world, Machine machine, Job job) {
        cold = true;
        if (job.firstSeen) {
            world.fail(job);
        } else {
            world.toServerless(job);
        }
    }
}
