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

/** The metadata service of a machine, version 2 only. Thread-safe. */
final class FakeMetadata implements AutoCloseable {

    private static final String TOKEN = "fake-imds-token";
    private static final String ACTION = "/latest/meta-data/spot/instance-action";
    private static final String REBALANCE = "/latest/meta-data/events/recommendations/rebalance";

    private final Map<String, String> documents = new ConcurrentHashMap<>();
    private final VendorServer server;

    FakeMetadata() throws IOException {
        server = VendorServer.start(this::answer);
    }

    private VendorAnswer answer(VendorRequest request) {
        if (request.method().equals("PUT") && request.path().equals("/latest/api/token")) {
            boolean asked =
                    request.header("X-aws-ec2-metadata-token-ttl-seconds").isPresent();
            return asked ? VendorAnswer.of(200, "text/plain", TOKEN) : VendorAnswer.empty(400);
        }
        if (!request.header("X-aws-ec2-metadata-token").filter(TOKEN::equals).isPresent()) {
            return VendorAnswer.empty(401);
        }
        String document = documents.get(request.path());
        return document == null ? VendorAnswer.empty(404) : VendorAnswer.json(200, document);
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
        server.close();
    }
}
