package dev.tuna.testkit.cloud.process;

import dev.tuna.testkit.cloud.model.Machine;
import dev.tuna.testkit.cloud.model.MachineListener;
import dev.tuna.testkit.cloud.model.MachineRunner;
import dev.tuna.testkit.cloud.model.MachineSpec;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Machines as stand-ins inside this JVM: nothing to wait for, exact counts, and a test can look at each. Thread-safe.
 * Every stand-in started so far is kept for {@link #standIn}, so this is for tests.
 */
public final class InJvmMachines implements MachineRunner {

    private static final long POLL_MILLIS = 10;

    private final StandInCommand command;
    private final ScheduledExecutorService worker = Executors.newSingleThreadScheduledExecutor(work -> {
        Thread thread = new Thread(work, "tuna-cloud-machines");
        thread.setDaemon(true);
        return thread;
    });
    private final Map<String, InJvmMachine> machines = new ConcurrentHashMap<>();

    /**
     * A runner without machines.
     *
     * @param standInArguments arguments that every stand-in gets; those of the engine win
     */
    public InJvmMachines(List<String> standInArguments) {
        command = new StandInCommand(standInArguments);
    }

    @Override
    public Machine start(MachineSpec spec, MachineListener listener) {
        InJvmMachine machine = new InJvmMachine(spec, listener);
        machines.put(spec.id(), machine);
        worker.execute(machine::start);
        return machine;
    }

    /**
     * The model server of a machine, also after it has ended.
     *
     * @param id of a replica or container
     * @return the stand-in; empty if none was started under this id
     */
    public Optional<VllmStandIn> standIn(String id) {
        InJvmMachine machine = machines.get(id);
        return machine == null ? Optional.empty() : Optional.ofNullable(machine.standIn);
    }

    @Override
    public int running() {
        return (int) machines.values().stream()
                .filter(machine -> !machine.over.get())
                .count();
    }

    @Override
    public void close() {
        worker.shutdownNow();
        machines.values().forEach(InJvmMachine::closeNow);
    }

    private final class InJvmMachine implements Machine {
        private final MachineSpec spec;
        private final MachineListener listener;
        private final AtomicBoolean over = new AtomicBoolean();
        private volatile @Nullable VllmStandIn standIn;

        InJvmMachine(MachineSpec spec, MachineListener listener) {
            this.spec = spec;
            this.listener = listener;
        }

        void start() {
            Map<String, String> environment = spec.environment().entrySet().stream()
                    .collect(Collectors.toMap(
                            Map.Entry::getKey, entry -> entry.getValue().reveal()));
            try {
                List<String> words = command.serve(spec.engine());
                VllmStandIn started =
                        VllmStandIn.forCommandLine(words, environment).start();
                standIn = started;
                awaitListening(started);
            } catch (RuntimeException e) {
                end("could not be started: " + e.getMessage());
            }
        }

        private void awaitListening(VllmStandIn started) {
            if (over.get()) {
                return;
            }
            if (started.listening()) {
                listener.listening(started.uri());
            } else {
                var unused = worker.schedule(() -> awaitListening(started), POLL_MILLIS, TimeUnit.MILLISECONDS);
            }
        }

        @Override
        public void stop() {
            worker.execute(() -> {
                VllmStandIn running = standIn;
                if (running == null) {
                    end("stopped");
                    return;
                }
                var unused = running.terminate()
                        .whenComplete((done, failure) -> worker.execute(() -> {
                            running.close();
                            end("stopped");
                        }));
            });
        }

        @Override
        public void kill() {
            worker.execute(() -> {
                closeStandIn();
                end("killed");
            });
        }

        private void closeStandIn() {
            VllmStandIn running = standIn;
            if (running != null) {
                running.close();
            }
        }

        private void end(String why) {
            if (over.compareAndSet(false, true)) {
                listener.ended(why, requests());
            }
        }

        void closeNow() {
            over.set(true);
            closeStandIn();
        }

        @Override
        public OptionalLong requests() {
            VllmStandIn running = standIn;
            return running == null
                    ? OptionalLong.of(0)
                    : OptionalLong.of(running.stats().modelRequests());
        }

        @Override
        public OptionalLong pid() {
            return OptionalLong.empty();
        }
    }
}
