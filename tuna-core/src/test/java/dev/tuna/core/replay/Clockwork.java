package dev.tuna.core.replay;

import dev.tuna.api.ScalingPolicy;
import dev.tuna.core.autoscale.Autoscaler;
import dev.tuna.core.autoscale.FleetView;
import dev.tuna.core.autoscale.ScalingDecision;
import dev.tuna.core.autoscale.ScalingMemory;
import dev.tuna.core.autoscale.Signals;
import java.time.Instant;
import java.util.Optional;

/** The real autoscaler with its memory, asked at the moments of a replay. Confined to one replay. */
final class Clockwork {

    private static final Instant START = Instant.parse("2026-01-05T00:00:00Z");

    final ScalingPolicy.Spot policy;
    private ScalingMemory memory = ScalingMemory.startingAt(1);
    private Optional<Instant> lastReady = Optional.empty();

    Clockwork(ScalingPolicy.Spot policy) {
        this.policy = policy;
    }

    static Instant instant(long millis) {
        return START.plusMillis(millis);
    }

    ScalingDecision decide(World world) {
        int booting =
                (int) world.machines.stream().filter(machine -> !machine.ready).count();
        ScalingDecision decision = Autoscaler.decide(
                policy,
                Parameters.CONCURRENCY,
                new Signals(world.arrived, 0, world.present(), 0, false),
                new FleetView(booting, lastReady),
                instant(world.now),
                memory);
        memory = decision.memory();
        return decision;
    }

    void ready(World world) {
        lastReady = Optional.of(instant(world.now));
    }
}
