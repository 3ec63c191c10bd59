package dev.tuna.spot.aws.channel;

import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorRequest;
import dev.tuna.testkit.vendor.VendorServer;
import java.io.IOException;
import java.net.URI;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** The metadata service of a machine, version 2 only. Thread-safe. */
final class FakeMetadata implements AutoCloseable {

    private static final String ACTION = "/latest/meta-data/spot/instance-action";
    private static final String REBALANCE = "/latest/meta-data/events/recommendations/rebalance";

    private final Map<String, String> documents = new ConcurrentHashMap<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final AtomicInteger token = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private final AtomicInteger hung = new AtomicInteger();
    private volatile boolean hanging;
    private final VendorServer server;

    FakeMetadata() throws IOException {
        server = VendorServer.start(this::answer);
    }

    private VendorAnswer answer(VendorRequest request) {
        if (request.method().equals("PUT") && request.path().equals("/latest/api/token")) {
            if (hanging) {
                hung.incrementAndGet();
                hang();
            }
            boolean asked =
                    request.header("X-aws-ec2-metadata-token-ttl-seconds").isPresent();
            return asked ? VendorAnswer.of(200, "text/plain", token()) : VendorAnswer.empty(400);
        }
        if (!request.header("X-aws-ec2-metadata-token").filter(token()::equals).isPresent()) {
            if (request.path().equals(ACTION)) {
                refused.incrementAndGet();
            }
            return VendorAnswer.empty(401);
        }
        String document = documents.get(request.path());
        return document == null ? VendorAnswer.empty(404) : VendorAnswer.json(200, document);
    }

    private String token() {
        return "fake-imds-token-" + token.get();
    }

    private void hang() {
        try {
            closed.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** From now on the token that was given before is refused, and another one given. */
    void expireToken() {
        token.incrementAndGet();
    }

    /** From now on whoever asks for a token waits for ever. */
    void hangTokens() {
        hanging = true;
    }

    /** How many asked for a token in vain. */
    int hung() {
        return hung.get();
    }

    /** How often a look for the notice was refused. */
    int refusedLooks() {
        return refused.get();
    }

    URI uri() {
        return server.uri();
    }

    void interrupt(Instant at) {
        documents.put(ACTION, "{\"action\": \"terminate\", \"time\": \"" + at.truncatedTo(ChronoUnit.SECONDS) + "\"}");
    }

    void recommendRebalance(Instant at) {
        documents.put(REBALANCE, "{\"noticeTime\": \"" + at.truncatedTo(ChronoUnit.SECONDS) + "\"}");
    }

    @Override
    public void close() {
        closed.countDown();
        server.close();
    }
}
