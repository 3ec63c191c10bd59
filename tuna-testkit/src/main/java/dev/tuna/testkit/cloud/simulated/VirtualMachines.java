package dev.tuna.testkit.cloud.simulated;

import dev.tuna.testkit.cloud.model.Machine;
import dev.tuna.testkit.cloud.model.MachineListener;
import dev.tuna.testkit.cloud.model.MachineRunner;
import dev.tuna.testkit.cloud.model.MachineSpec;
import java.net.URI;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** Machines that take time and nothing else. Thread-safe. */
final class VirtualMachines implements MachineRunner {

    private final ScheduledExecutorService scheduler;
    private final AtomicInteger running = new AtomicInteger();
    private final ConcurrentMap<URI, VirtualMachine> listening = new ConcurrentHashMap<>();

    private volatile Duration engineStart;
    private volatile Duration engineStop = Duration.ZERO;

    VirtualMachines(ScheduledExecutorService scheduler, Duration engineStart) {
        this.scheduler = scheduler;
        this.engineStart = engineStart;
    }

    void engineStart(Duration delay) {
        engineStart = delay;
    }

    void engineStop(Duration delay) {
        engineStop = delay;
    }

    /** Whether a model server listens there and has not been hung. */
    boolean answers(URI address) {
        VirtualMachine machine = listening.get(address);
        return machine != null && !machine.hung;
    }

    boolean listens(URI address) {
        return listening.containsKey(address);
    }

    void hang(URI address) {
        VirtualMachine machine = listening.get(address);
        if (machine != null) {
            machine.hung = true;
        }
    }

    void exit(URI address) {
        VirtualMachine machine = listening.get(address);
        if (machine != null) {
            machine.end("exited");
        }
    }

    @Override
    public Machine start(MachineSpec spec, MachineListener listener) {
        running.incrementAndGet();
        VirtualMachine machine = new VirtualMachine(URI.create("http://" + spec.id() + ".invalid:8000"), listener);
        machine.after(engineStart, machine::listen);
        return machine;
    }

    @Override
    public int running() {
        return running.get();
    }

    /** Nothing outlives the virtual time that it lives on. */
    @Override
    public void close() {}

    private final class VirtualMachine implements Machine {
        private final URI address;
        private final MachineListener listener;
        private final AtomicBoolean over = new AtomicBoolean();
        private volatile boolean hung;

        VirtualMachine(URI address, MachineListener listener) {
            this.address = address;
            this.listener = listener;
        }

        void after(Duration delay, Runnable task) {
            Future<?> unused = scheduler.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
        }

        void listen() {
            if (!over.get()) {
                listening.put(address, this);
                listener.listening(address);
            }
        }

        @Override
        public void stop() {
            after(engineStop, () -> end("stopped"));
        }

        @Override
        public void kill() {
            after(Duration.ZERO, () -> end("killed"));
        }

        private void end(String why) {
            if (over.compareAndSet(false, true)) {
                running.decrementAndGet();
                listening.remove(address, this);
                listener.ended(why, OptionalLong.empty());
            }
        }

        @Override
        public OptionalLong requests() {
            return OptionalLong.empty();
        }

        @Override
        public OptionalLong pid() {
            return OptionalLong.empty();
        }
    }
}
