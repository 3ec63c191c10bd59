package dev.tuna.testkit.vllm;

import java.util.List;
import java.util.Map;

/** A request while it is alive; {@link #snapshot()} is what tests see. Written by the event loop. */
final class Recording {

    private final RecordedRequest received;
    private volatile Outcome outcome = Outcome.IN_FLIGHT;
    private volatile int tokens;

    Recording(
            long number,
            String method,
            String target,
            List<Map.Entry<String, String>> headers,
            byte[] body,
            long connection) {
        received = new RecordedRequest(number, method, target, headers, body, connection, Outcome.IN_FLIGHT, 0);
    }

    void tokens(int tokens) {
        this.tokens = tokens;
    }

    void outcome(Outcome outcome) {
        this.outcome = outcome;
    }

    boolean forTheModel() {
        return received.method().equals("POST") && received.path().startsWith("/v1/");
    }

    RecordedRequest received() {
        return received;
    }

    RecordedRequest snapshot() {
        return new RecordedRequest(
                received.number(),
                received.method(),
                received.target(),
                received.headers(),
                received.body(),
                received.connection(),
                outcome,
                tokens);
    }
}
