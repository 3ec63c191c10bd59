package dev.tuna.testkit.vllm;

import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

/**
 * A model server on a loopback port that behaves like {@code vllm serve} on the wire.
 *
 * <p>What it generates is decided by {@link StandInModel}, so a test knows the right answer, and knows that a
 * continuation is right if and only if its prefix was. It can be slow, small, booting, draining, killed, or faulty in the
 * ways {@link Fault} lists. It records what it was sent and how it ended.
 *
 * <p>Thread-safe. One daemon thread, named {@code tuna-stand-in-<port>}, does all the work; closing ends it.
 */
public final class VllmStandIn implements AutoCloseable {

    private final StandInServer server;

    private VllmStandIn(StandInConfig config) {
        server = new StandInServer(config);
    }

    /**
     * Begins to configure a stand-in.
     *
     * @return a builder with every default set
     */
    public static VllmStandInBuilder builder() {
        return new VllmStandInBuilder();
    }

    /**
     * Begins to configure a stand-in the way {@link VllmStandInMain} would; {@code --standin-boot-failure} and
     * {@code --standin-exit-on-stdin-eof}, which are about a process, have no effect.
     *
     * @param arguments {@code serve MODEL} and options
     * @param environment where {@code VLLM_API_KEY} is looked up
     * @return a builder set to what the command line says
     * @throws IllegalArgumentException if vLLM would refuse the command line; the text says why
     */
    public static VllmStandInBuilder forCommandLine(List<String> arguments, Map<String, String> environment) {
        try {
            return ServeArguments.parse(arguments.toArray(String[]::new)).builder(environment);
        } catch (ServeArguments.UsageException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    /**
     * Starts one with every default.
     *
     * @return a listening stand-in
     */
    public static VllmStandIn start() {
        return builder().start();
    }

    static VllmStandIn start(StandInConfig config) {
        VllmStandIn standIn = new VllmStandIn(config);
        try {
            standIn.server.start();
            return standIn;
        } catch (RuntimeException e) {
            standIn.close();
            throw e;
        }
    }

    /**
     * Where it listens, or will listen once booted.
     *
     * @return {@code http://host:port}, without a path
     */
    public URI uri() {
        return URI.create("http://" + server.config().host() + ":" + port());
    }

    /**
     * The port, which is kept from the start even while nothing listens.
     *
     * @return 1 to 65535
     */
    public int port() {
        return server.address().getPort();
    }

    /**
     * The name it answers to.
     *
     * @return the first served model name
     */
    public String model() {
        return server.config().servedName();
    }

    /**
     * Whether connections are accepted: booted, not told to refuse, not terminated, not killed.
     *
     * @return the state at this moment
     */
    public boolean listening() {
        return server.listening();
    }

    /**
     * The last requests, oldest first, as many as {@link VllmStandInBuilder#keepRequests} allows.
     *
     * @return a snapshot; outcomes in it do not change
     */
    public List<RecordedRequest> requests() {
        return server.journal().requests();
    }

    /**
     * The last requests for one path.
     *
     * @param path without query
     * @return a snapshot, oldest first
     */
    public List<RecordedRequest> requests(String path) {
        return requests().stream()
                .filter(request -> request.path().equals(path))
                .toList();
    }

    /**
     * All counters at once.
     *
     * @return a snapshot
     */
    public StandInStats stats() {
        return server.stats();
    }

    /**
     * How many requests are being generated.
     *
     * @return at most the capacity
     */
    public int running() {
        return server.engine().running();
    }

    /**
     * How many requests wait for capacity.
     *
     * @return zero or more
     */
    public int waiting() {
        return server.engine().waiting();
    }

    /**
     * Adds a fault behind those in force.
     *
     * @param fault what to do wrong from now on
     */
    public void inject(Fault fault) {
        server.inject(Objects.requireNonNull(fault, "fault"));
    }

    /** Drops all faults; if connections were refused, they are accepted again on the same port. */
    public void clearFaults() {
        server.clearFaults();
    }

    /**
     * Drops everything at once, as SIGKILL or a lost machine does: every connection is reset, the port closes. What was
     * recorded stays readable.
     */
    public void kill() {
        server.kill();
    }

    /**
     * Shuts down as SIGTERM does. New connections are refused, new requests on open ones get 503. With a shutdown timeout
     * of zero what is in flight ends at once with the finish reason {@code abort} (and {@code [DONE]}); otherwise it is
     * finished, and only what is left at the timeout is aborted.
     *
     * @return completes when nothing is being answered any more
     */
    public CompletableFuture<Void> terminate() {
        return server.terminate().copy();
    }

    /** Waits for what a shutdown has still to write, so that a process does not exit on top of it. */
    void finishWriting() {
        server.awaitConnectionsClosed();
    }

    /** Kills it and ends its thread; may be called twice. */
    @Override
    public void close() {
        server.close();
    }
}
