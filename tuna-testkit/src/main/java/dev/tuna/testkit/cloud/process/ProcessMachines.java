package dev.tuna.testkit.cloud.process;

import dev.tuna.testkit.cloud.model.Machine;
import dev.tuna.testkit.cloud.model.MachineListener;
import dev.tuna.testkit.cloud.model.MachineRunner;
import dev.tuna.testkit.cloud.model.MachineSpec;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Machines as child processes, which end when this process ends, however it does. Thread-safe. */
public final class ProcessMachines implements MachineRunner {

    private static final long CLOSE_SECONDS = 30;

    private final ServerCommand command;
    private final AtomicInteger threads = new AtomicInteger();
    private final ExecutorService pool = Executors.newCachedThreadPool(this::thread);
    private final Set<ProcessMachine> alive = ConcurrentHashMap.newKeySet();

    /**
     * A runner without machines.
     *
     * @param command what each machine runs
     */
    public ProcessMachines(ServerCommand command) {
        this.command = command;
    }

    private Thread thread(Runnable work) {
        Thread thread = new Thread(work, "tuna-cloud-machines-" + threads.incrementAndGet());
        thread.setDaemon(true);
        return thread;
    }

    @Override
    public Machine start(MachineSpec spec, MachineListener listener) {
        ProcessMachine machine = new ProcessMachine(command, spec, listener, pool, alive::remove);
        alive.add(machine);
        machine.start();
        return machine;
    }

    @Override
    public int running() {
        return alive.size();
    }

    @Override
    public void close() {
        List.copyOf(alive).forEach(ProcessMachine::killNow);
        pool.shutdown();
        try {
            if (!pool.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException(
                        alive.size() + " machine(s) did not end within " + CLOSE_SECONDS + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
