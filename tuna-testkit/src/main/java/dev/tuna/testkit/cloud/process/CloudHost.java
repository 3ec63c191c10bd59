package dev.tuna.testkit.cloud.process;

import dev.tuna.testkit.cloud.model.CloudModel;
import dev.tuna.testkit.cloud.model.CloudSettings;
import dev.tuna.testkit.cloud.model.MachineRunner;
import dev.tuna.testkit.crash.CallerFaults;
import java.net.URI;
import java.time.InstantSource;
import java.util.concurrent.ScheduledThreadPoolExecutor;

/**
 * A cloud behind a port of this process, in real time.
 *
 * <p>The HTTP API, JSON both ways, refusals as {@code {"code","message"}}: {@code GET /v1/state};
 * {@code POST /v1/script} with {@code {"action":"PRICE","target":"local-1a/l4-1/SPOT","value":"0.31"}} and the like
 * ({@link dev.tuna.testkit.cloud.model.ScriptStep}); {@code GET /v1/serverless-prices}; {@code GET /v1/endpoints},
 * {@code GET}, {@code PUT} and {@code DELETE /v1/endpoints/NAME}; {@code GET /v1/pools}; {@code GET} and
 * {@code POST /v1/replicas}, {@code POST /v1/replicas/observe} with a list of ids, {@code DELETE /v1/replicas/ID}.
 * Requests for an endpoint's model server go to {@code /serverless/NAME/...}.
 *
 * <p>Thread-safe. Closing it ends every machine.
 */
public final class CloudHost implements AutoCloseable {

    private final ScheduledThreadPoolExecutor clock;
    private final MachineRunner runner;
    private final CloudModel model;
    private final HttpFront front;
    private final URI uri;

    private CloudHost(
            String host, int port, CloudSettings settings, MachineRunner runner, String idPrefix, CallerFaults faults) {
        this.runner = runner;
        clock = new ScheduledThreadPoolExecutor(1, work -> {
            Thread thread = new Thread(work, "tuna-cloud-clock");
            thread.setDaemon(true);
            return thread;
        });
        clock.setRemoveOnCancelPolicy(true);
        model = new CloudModel(settings, InstantSource.system(), clock, runner, idPrefix);
        front = open(host, port, model, faults);
        uri = URI.create("http://" + host + ":" + front.port());
    }

    private HttpFront open(String host, int port, CloudModel model, CallerFaults faults) {
        try {
            return new HttpFront(host, port, model, faults);
        } catch (RuntimeException e) {
            clock.shutdownNow();
            runner.close();
            throw e;
        }
    }

    /**
     * Opens the port.
     *
     * @param host address to listen on; the control API asks for no key, so a loopback address
     * @param port 0 for any free one
     * @param settings how the cloud starts
     * @param runner runs the machines; closed with this object, or before this method fails
     * @param idPrefix distinguishes the ids of this cloud's machines from those of another
     * @return the running cloud
     * @throws java.io.UncheckedIOException if the port cannot be had
     */
    public static CloudHost start(
            String host, int port, CloudSettings settings, MachineRunner runner, String idPrefix) {
        return start(host, port, settings, runner, idPrefix, CallerFaults.NONE);
    }

    /**
     * Opens the port of a cloud some of whose callers die.
     *
     * @param host address to listen on; the control API asks for no key, so a loopback address
     * @param port 0 for any free one
     * @param settings how the cloud starts
     * @param runner runs the machines; closed with this object, or before this method fails
     * @param idPrefix distinguishes the ids of this cloud's machines from those of another
     * @param faults at which calls their callers die
     * @return the running cloud
     * @throws java.io.UncheckedIOException if the port cannot be had
     */
    public static CloudHost start(
            String host, int port, CloudSettings settings, MachineRunner runner, String idPrefix, CallerFaults faults) {
        return new CloudHost(host, port, settings, runner, idPrefix, faults);
    }

    /**
     * Where it listens.
     *
     * @return {@code http://host:port}
     */
    public URI uri() {
        return uri;
    }

    /**
     * The cloud itself.
     *
     * @return the model
     */
    public CloudModel model() {
        return model;
    }

    /** Closes the port, forgets every plan and ends every machine. Idempotent. */
    @Override
    public void close() {
        front.close();
        clock.shutdownNow();
        runner.close();
    }
}
