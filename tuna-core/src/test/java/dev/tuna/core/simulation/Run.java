package dev.tuna.core.simulation;

import dev.tuna.api.Deployment;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;

/** One seed's story: storms and calms in turn, and in the end everything is destroyed. */
final class Run {

    private static final Duration CALM = Duration.ofHours(3);
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final World world;
    private final Chaos chaos;
    private final Clients clients;
    private final Invariants invariants;
    private final SplittableRandom random;
    private double deploymentDays;
    private long steps;

    /**
     * What came of it.
     *
     * @param seed the seed
     * @param violations none if all is well
     * @param hash of the trace
     * @param deploymentDays live deployments, summed over time
     * @param steps tasks run on the virtual time
     * @param faults things that went wrong
     * @param launches machines launched
     * @param trace its last lines
     */
    record Outcome(
            long seed,
            List<String> violations,
            long hash,
            double deploymentDays,
            long steps,
            long faults,
            long launches,
            List<String> trace) {}

    private Run(long seed) {
        random = new SplittableRandom(seed);
        world = new World(random.nextLong());
        invariants = new Invariants(world);
        chaos = new Chaos(world, random.split(), invariants::calling);
        clients = new Clients(world, random.split());
    }

    static Outcome of(long seed, Duration span, int traceLines) {
        var run = new Run(seed);
        try {
            run.live(span);
        } catch (RuntimeException e) {
            run.world.violated(
                    "the run failed: " + e + " at " + List.of(e.getStackTrace()).subList(0, 5));
        }
        return new Outcome(
                seed,
                List.copyOf(run.world.broken),
                run.world.trace.hash(),
                run.deploymentDays,
                run.steps,
                run.chaos.faults(),
                run.invariants.launches(),
                run.world.trace.last(traceLines));
    }

    private void live(Duration span) {
        try (world) {
            world.onSave(change -> {
                invariants.saved(change);
                chaos.written();
            });
            world.start();
            everyMinute();
            for (int left = 1 + random.nextInt(4); left > 0; left--) {
                var unused = chaos.deploy();
            }
            long end = span.toNanos();
            while (world.time.nanoTime() < end && world.broken.isEmpty()) {
                chaos.storm();
                pass(Duration.ofMinutes(60 + random.nextInt(300)));
                chaos.calm();
                pass(CALM);
                if (world.broken.isEmpty()) {
                    invariants.settled(clients);
                }
            }
            if (world.broken.isEmpty()) {
                end();
            }
        }
    }

    private void end() {
        chaos.storm();
        pass(Duration.ofMinutes(30));
        destroyAll();
        pass(Duration.ofMinutes(random.nextInt(30)));
        chaos.calm();
        clients.quiet(true);
        destroyAll();
        pass(Duration.ofHours(1));
        if (world.broken.isEmpty()) {
            invariants.over(chaos);
        }
    }

    private void destroyAll() {
        world.trace.add("destroy of all");
        for (Deployment deployment : world.deployments()) {
            var unused = deployment.destroy();
        }
    }

    private void pass(Duration span) {
        world.time.runUntil(
                () -> {
                    steps++;
                    return !world.broken.isEmpty();
                },
                span);
    }

    private void everyMinute() {
        world.later(MINUTE, () -> {
            deploymentDays += world.deployments().size() / (24.0 * 60);
            invariants.watch(chaos);
            everyMinute();
        });
    }
}
