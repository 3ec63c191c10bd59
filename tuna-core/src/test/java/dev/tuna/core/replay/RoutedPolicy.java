package dev.tuna.core.replay;

import dev.tuna.api.Tier;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;

/** What policies have in common that send a request to the machine with the fewest, and never more than it can take. */
abstract class RoutedPolicy implements Policy {

    static Stream<Machine> serving(World world) {
        return world.machines.stream().filter(Machine::takesWork);
    }

    static Optional<Machine> best(World world) {
        Machine best = null;
        for (Machine machine : world.machines) {
            if (machine.takesWork() && machine.hasRoom() && (best == null || machine.inFlight < best.inFlight)) {
                best = machine;
            }
        }
        return Optional.ofNullable(best);
    }

    /** Requests are carried by whom has room, else by serverless. */
    @Override
    public void send(World world, Job job) {
        Optional<Machine> machine = best(world);
        if (machine.isPresent()) {
            world.start(job, machine.get());
        } else {
            world.toServerless(job);
        }
    }

    /** A stream goes on elsewhere, from the token at which it was. */
    @Override
    public void lost(World world, Machine machine, Job job) {
        send(world, job);
    }

    static boolean isSpot(Machine machine) {
        return machine.tier == Tier.SPOT;
    }

    static Comparator<Integer> byPrice(World world) {
        return Comparator.comparingDouble(world::spotPrice);
    }
}
