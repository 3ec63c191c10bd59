package dev.tuna.core.crash;

import dev.tuna.testkit.cloud.model.CloudModel;
import dev.tuna.testkit.cloud.model.CloudSettings;
import dev.tuna.testkit.cloud.process.CallerDeath;
import dev.tuna.testkit.cloud.process.CallerDeath.Moment;
import dev.tuna.testkit.cloud.process.CallerFaults;
import dev.tuna.testkit.cloud.process.CloudHost;
import dev.tuna.testkit.cloud.process.ProcessMachines;
import dev.tuna.testkit.cloud.process.StandInCommand;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The cloud of the matrix, which outlives every controller: behind a port, with a process for each machine. It counts the
 * calls it gets, and kills who makes the one that was chosen. Thread-safe.
 */
final class LethalCloud implements AutoCloseable {

    /** Slow enough for a request to be held as long as a case lasts. */
    private static final List<String> STAND_IN = List.of("--standin-tokens-per-second", "5");

    private final List<String> calls = new ArrayList<>(); // guarded by this
    private int chosen; // guarded by this
    private Optional<CallerDeath> death = Optional.empty(); // guarded by this
    private final ProcessMachines machines = new ProcessMachines(new StandInCommand(STAND_IN));
    private final CallerFaults faults = this::faultOf;
    private final CloudHost host = CloudHost.start("127.0.0.1", 0, CloudSettings.DEFAULT, machines, "", faults);

    /** Nobody dies; calls are counted from one again. */
    synchronized void spareAll() {
        calls.clear();
        death = Optional.empty();
    }

    /** Counts from one again and kills at the chosen call. */
    synchronized void plan(int call, Moment moment, Runnable kill) {
        calls.clear();
        chosen = call;
        death = Optional.of(new CallerDeath(moment, kill));
    }

    private synchronized Optional<CallerDeath> faultOf(String call) {
        calls.add(call);
        return calls.size() == chosen ? death : Optional.empty();
    }

    synchronized List<String> calls() {
        return List.copyOf(calls);
    }

    URI uri() {
        return host.uri();
    }

    CloudModel model() {
        return host.model();
    }

    /** Processes that are alive, whoever pays for them. */
    int machines() {
        return machines.running();
    }

    @Override
    public void close() {
        host.close();
    }
}
