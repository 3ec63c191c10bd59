package dev.tuna.testkit.cloud.simulated;

import dev.tuna.testkit.cloud.model.Machine;
import dev.tuna.testkit.cloud.model.MachineListener;
import dev.tuna.testkit.cloud.model.MachineRunner;
import dev.tuna.testkit.cloud.model.MachineSpec;
import java.net.URI;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** Machines that take time and nothing else. Thread-safe. */
final class VirtualMachines implements MachineRunner {

    private final ScheduledExecutorService scheduler;
    private final AtomicInteger running = new AtomicInteger();

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

    @Override
    public Machine start(MachineSpec spec, MachineListener listener) {
        running.incrementAndGet();
        VirtualMachine machine = new VirtualMachine(listener);
        machine.after(engineStart, () -> machine.listen(URI.create("http://" + spec.id() + ".invalid:8000")));
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
        private final MachineListener listener;
        private final AtomicBoolean over = new AtomicBoolean();

        VirtualMachine(MachineListener listener) {
            this.listener = listener;
        }

        void after(Duration delay, Runnable task) {
            Future<?> unused = scheduler.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
        }

        void listen(URI address) {
            if (!over.get()) {
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
