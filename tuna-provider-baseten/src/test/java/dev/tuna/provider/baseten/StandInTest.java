package dev.tuna.provider.baseten;

import dev.tuna.testkit.vendor.VendorExchange;
import java.io.IOException;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterAll;

/** Tests on a stand-in. What went over the wire in a class is checked when it is through, since the documents are large. */
abstract class StandInTest {

    private static final Queue<VendorExchange> SEEN = new ConcurrentLinkedQueue<>();

    static void seen(List<VendorExchange> exchanges) {
        SEEN.addAll(exchanges);
    }

    @AfterAll
    static void checkConformance() throws IOException {
        List<VendorExchange> exchanges = List.copyOf(SEEN);
        SEEN.clear();
        Wire.checkConformance(exchanges);
    }
}
