package dev.tuna.testkit.cloud;

import dev.tuna.testkit.cloud.model.CloudJson;
import dev.tuna.testkit.cloud.model.CloudScript;
import dev.tuna.testkit.cloud.model.CloudSettings;
import dev.tuna.testkit.cloud.model.CloudSnapshot;
import dev.tuna.testkit.cloud.model.PoolSettings;
import dev.tuna.testkit.cloud.process.CloudHost;
import dev.tuna.testkit.cloud.process.InJvmMachines;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A local cloud to try things against: start it, hand {@link #settings()} to Tuna, script what happens to it.
 *
 * <pre>{@code
 * try (LocalCloud cloud = LocalCloud.builder().bootDelay(Duration.ofSeconds(2)).start()) {
 *     // providers "local" and "local-spot" with the settings cloud.settings()
 *     cloud.interrupt(replica, Duration.ofSeconds(5));
 * }
 * }</pre>
 *
 * <p>{@link Builder#start()} gives a process of its own whose machines are its child processes;
 * {@link Builder#startInProcess()} the same cloud inside this JVM, which is faster and whose model servers can be looked
 * at. Thread-safe.
 */
public final class LocalCloud implements CloudScript, AutoCloseable {

    private final URI uri;
    private final CloudScript script;
    private final @Nullable CloudProcess process;
    private final @Nullable CloudHost host;
    private final @Nullable InJvmMachines machines;

    private LocalCloud(CloudProcess process) {
        this.process = process;
        uri = process.uri();
        script = new ScriptClient(uri);
        host = null;
        machines = null;
    }

    private LocalCloud(CloudHost host, InJvmMachines machines) {
        this.host = host;
        this.machines = machines;
        uri = host.uri();
        script = host.model();
        process = null;
    }

    /**
     * Begins to describe a cloud.
     *
     * @return a builder with every default set
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Where it listens.
     *
     * @return {@code http://127.0.0.1:port}
     */
    public URI uri() {
        return uri;
    }

    /**
     * Settings for the providers {@code local} and {@code local-spot}.
     *
     * @return {@code url} only
     */
    public Map<String, String> settings() {
        return Map.of("url", uri.toString());
    }

    /**
     * The process, for instance to kill it.
     *
     * @return its handle; empty if the cloud is in this JVM
     */
    public Optional<ProcessHandle> process() {
        return Optional.ofNullable(process).map(CloudProcess::handle);
    }

    /**
     * The model server of a machine, also after the machine has ended.
     *
     * @param machine id of a replica or container
     * @return the stand-in; empty if there was none, and always if the cloud is a process of its own
     */
    public Optional<VllmStandIn> standIn(String machine) {
        return Optional.ofNullable(machines).flatMap(running -> running.standIn(machine));
    }

    @Override
    public void setPrice(String pool, BigDecimal usdPerHour) {
        script.setPrice(pool, usdPerHour);
    }

    @Override
    public void setCapacity(String pool, int count) {
        script.setCapacity(pool, count);
    }

    @Override
    public void setBootDelay(String pool, Duration delay) {
        script.setBootDelay(pool, delay);
    }

    @Override
    public void failBoots(String where, int times) {
        script.failBoots(where, times);
    }

    @Override
    public void setServerlessPrice(String gpu, BigDecimal usdPerGpuHour) {
        script.setServerlessPrice(gpu, usdPerGpuHour);
    }

    @Override
    public void setColdStart(Duration delay) {
        script.setColdStart(delay);
    }

    @Override
    public void interrupt(String replica, Duration notice) {
        script.interrupt(replica, notice);
    }

    @Override
    public void recommendRebalance(String replica) {
        script.recommendRebalance(replica);
    }

    @Override
    public void lose(String id) {
        script.lose(id);
    }

    @Override
    public CloudSnapshot snapshot() {
        return script.snapshot();
    }

    /**
     * Ends the cloud and every machine. Idempotent.
     *
     * @throws IllegalStateException if a child process of the cloud is still alive afterwards
     */
    @Override
    public void close() {
        if (process != null) {
            process.close();
        }
        if (host != null) {
            host.close();
        }
    }

    /** Describes a {@link LocalCloud}. Not thread-safe. */
    public static final class Builder {
        private CloudSettings settings = CloudSettings.DEFAULT;
        private final List<String> standInArguments = new ArrayList<>();
        private List<String> command = List.of();
        private int port;
        private boolean outlivesStarter;

        private Builder() {}

        /**
         * Changes how the cloud starts; default {@link CloudSettings#DEFAULT}.
         *
         * @param change from the settings so far to new ones
         * @return this
         */
        public Builder settings(UnaryOperator<CloudSettings> change) {
            settings = change.apply(settings);
            return this;
        }

        /**
         * Replaces all pools.
         *
         * @param pools what machines there are to rent
         * @return this
         */
        public Builder pools(PoolSettings... pools) {
            return settings(before -> before.withPools(List.of(pools)));
        }

        /**
         * From launch until the model server of a replica starts, in every pool so far; default zero.
         *
         * @param delay zero or longer
         * @return this
         */
        public Builder bootDelay(Duration delay) {
            return settings(before -> before.withBootDelay(delay));
        }

        /**
         * From the start of a container until its model server starts; default zero.
         *
         * @param delay zero or longer
         * @return this
         */
        public Builder coldStart(Duration delay) {
            return settings(before -> before.withColdStart(delay));
        }

        /**
         * Arguments that every stand-in gets, for instance {@code --standin-ttft 50ms}; those of a deployment's engine
         * win. Default none.
         *
         * @param words added to those so far
         * @return this
         */
        public Builder standInArguments(String... words) {
            standInArguments.addAll(List.of(words));
            return this;
        }

        /**
         * Runs another model server than the stand-in, see {@link LocalCloudMain}; not in this JVM.
         *
         * @param words program and arguments with placeholders
         * @return this
         */
        public Builder command(String... words) {
            command = List.of(words);
            return this;
        }

        /**
         * The port; default any free one.
         *
         * @param port 0 to 65535, 0 for any
         * @return this
         */
        public Builder port(int port) {
            this.port = port;
            return this;
        }

        /**
         * Lets the process go on when this JVM dies without closing it. By default it ends then, so that no test leaves
         * anything behind.
         *
         * @return this
         */
        public Builder outlivesStarter() {
            outlivesStarter = true;
            return this;
        }

        /**
         * Starts the cloud as a process, with this JVM's {@code java} and class path.
         *
         * @return the running cloud
         * @throws IllegalStateException if it does not come up; the text quotes its output
         */
        public LocalCloud start() {
            List<String> options = new ArrayList<>(List.of("--port", Integer.toString(port)));
            options.addAll(List.of("--settings", CloudJson.write(settings)));
            standInArguments.forEach(word -> options.addAll(List.of("--stand-in-argument", word)));
            if (!outlivesStarter) {
                options.add("--exit-on-stdin-eof");
            }
            if (!command.isEmpty()) {
                options.add("--");
                options.addAll(command);
            }
            return new LocalCloud(CloudProcess.start(options));
        }

        /**
         * Starts the cloud in this JVM; its machines are stand-ins in this JVM too.
         *
         * @return the running cloud
         */
        public LocalCloud startInProcess() {
            if (!command.isEmpty()) {
                throw new IllegalStateException("a command runs as a process; use start()");
            }
            InJvmMachines machines = new InJvmMachines(standInArguments);
            return new LocalCloud(CloudHost.start("127.0.0.1", port, settings, machines, ""), machines);
        }
    }
}
