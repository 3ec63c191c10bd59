package dev.tuna.router.proxy;

import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One line about one request to a deployment, written when its answer has ended, by the logger {@value #NAME} at info. Holds
 * nothing of what was asked or answered. Confined to the client's event loop.
 */
final class AccessLog {

    static final String NAME = "dev.tuna.router.access";

    private static final Logger LOG = LoggerFactory.getLogger(NAME);

    private final Consumer<String> sink;
    private final LongSupplier clock;
    private final String deployment;
    private final ClientRequest request;
    private final long arrivedAt;
    private int status;
    private String outcome = "answered";
    private String backend = "-";
    private String tier = "-";
    private int attempts;
    private long waited;
    private long firstToken;
    private boolean written;

    AccessLog(Consumer<String> sink, LongSupplier clock, String deployment, ClientRequest request, long arrivedAt) {
        this.sink = sink;
        this.clock = clock;
        this.deployment = deployment;
        this.request = request;
        this.arrivedAt = arrivedAt;
    }

    /** For a request; null if nobody wants to read it, so that nothing is kept for it. */
    static @Nullable AccessLog of(LongSupplier clock, String deployment, ClientRequest request, long arrivedAt) {
        return LOG.isInfoEnabled() ? new AccessLog(LOG::info, clock, deployment, request, arrivedAt) : null;
    }

    void attempt(BackendRuntime on) {
        backend = on.id();
        tier = on.tierName();
        attempts++;
    }

    void waited(long nanos) {
        waited += nanos;
    }

    void firstToken(long nanos) {
        firstToken = nanos;
    }

    void status(int code) {
        status = code;
    }

    /** The answer did not end as it should have. */
    void outcome(String other) {
        outcome = other;
    }

    /** The end; what comes after it is not told. */
    void write() {
        if (!written) {
            written = true;
            sink.accept(line());
        }
    }

    /** The id comes last, since clients choose it. */
    private String line() {
        return "deployment=" + deployment
                + " method=" + request.method().name()
                + " path=" + request.target().path()
                + " stream=" + request.stream()
                + " retry=" + request.wishes().retry()
                + " status=" + status
                + " outcome=" + outcome
                + " backend=" + backend
                + " tier=" + tier
                + " attempts=" + attempts
                + " waited_ms=" + millis(waited)
                + " first_token_ms=" + millis(firstToken)
                + " total_ms=" + millis(clock.getAsLong() - arrivedAt)
                + " id=" + request.id();
    }

    private static long millis(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(nanos);
    }
}
