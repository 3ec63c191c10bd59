package dev.tuna.core.simulation;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;

/** Who asks the deployments something, and when. Confined to the thread of the time. */
final class Clients {

    private static final double DAY = Duration.ofDays(1).toNanos();

    private final World world;
    private final SplittableRandom random;
    private final Map<String, Long> lastAsked = new HashMap<>();
    private boolean quiet;

    Clients(World world, SplittableRandom random) {
        this.world = world;
        this.random = random;
        for (String name : World.NAMES) {
            switch (random.nextInt(4)) {
                case 0 -> steady(name, 20 + random.nextInt(280));
                case 1 -> day(name, 5 + random.nextInt(60), random.nextDouble());
                case 2 -> bursts(name);
                default -> {}
            }
        }
    }

    /** No new requests from now on, or as usual again. */
    void quiet(boolean now) {
        quiet = now;
    }

    /** How long nobody has asked. */
    Duration silence(String name) {
        return Duration.ofNanos(world.time.nanoTime() - lastAsked.getOrDefault(name, 0L));
    }

    private void steady(String name, int meanSeconds) {
        world.later(exponential(meanSeconds), () -> {
            ask(name);
            steady(name, meanSeconds);
        });
    }

    /** From nothing at night to a request per {@code meanSeconds} at noon. */
    private void day(String name, int meanSeconds, double shift) {
        world.later(exponential(meanSeconds), () -> {
            double height = Math.sin(2 * Math.PI * (world.time.nanoTime() / DAY + shift));
            if (random.nextDouble() < height) {
                ask(name);
            }
            day(name, meanSeconds, shift);
        });
    }

    private void bursts(String name) {
        world.later(exponential(3 * 3600), () -> {
            int requests = 5 + random.nextInt(100);
            for (int i = 0; i < requests; i++) {
                world.later(Duration.ofMillis(random.nextInt(300_000)), () -> ask(name));
            }
            bursts(name);
        });
    }

    private Duration exponential(double meanSeconds) {
        return Duration.ofNanos(1 + (long) (-Math.log(1 - random.nextDouble()) * meanSeconds * 1e9));
    }

    private void ask(String name) {
        Duration service = Duration.ofMillis(500 + random.nextInt(random.nextInt(10) == 0 ? 60_000 : 5_000));
        if (!quiet
                && world.router().map(router -> router.request(name, service)).orElse(false)) {
            lastAsked.put(name, world.time.nanoTime());
        }
    }
}
