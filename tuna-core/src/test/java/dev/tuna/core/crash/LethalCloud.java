package dev.tuna.core.crash;

import dev.tuna.testkit.cloud.model.CloudModel;
import dev.tuna.testkit.cloud.model.CloudSettings;
import dev.tuna.testkit.cloud.process.CloudHost;
import dev.tuna.testkit.cloud.process.ProcessMachines;
import dev.tuna.testkit.cloud.process.StandInCommand;
import dev.tuna.testkit.crash.CallCounter;
import dev.tuna.testkit.crash.CallerDeath.Moment;
import java.net.URI;
import java.util.List;

/**
 * The cloud of the matrix, which outlives every controller: behind a port, with a process for each machine. It counts the
 * calls it gets, and kills who makes the one that was chosen. Thread-safe.
 */
final class LethalCloud implements AutoCloseable {

    /** Slow enough for a request to be held as long as a case lasts. */
    private static final List<String> STAND_IN = List.of("--standin-tokens-per-second", "5");

    private final CallCounter calls = new CallCounter();
    private final ProcessMachines machines = new ProcessMachines(new StandInCommand(STAND_IN));
    private final CloudHost host = CloudHost.start("127.0.0.1", 0, CloudSettings.DEFAULT, machines, "", calls);

    /** Nobody dies; calls are counted from one again. */
    void spareAll() {
        calls.spareAll();
    }

    /** Counts from one again and kills at the chosen call. */
    void plan(int call, Moment moment, Runnable kill) {
        calls.plan(call, moment, kill);
    }

    List<String> calls() {
        return calls.calls();
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
