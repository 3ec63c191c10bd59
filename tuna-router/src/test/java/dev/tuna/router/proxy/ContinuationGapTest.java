package dev.tuna.router.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.router.RoutePolicy;
import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.Fault.Moment;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** How long a client waits at the seam. Prints it; machines differ, so nothing is asserted of the times. */
@Tag("full")
class ContinuationGapTest {

    private static final int ROUNDS = 300;
    private static final int WARM_UP = 100;
    private static final Duration PREFILL = Duration.ofMillis(20);
    private static final RoutePolicy NEVER_PUT_OFF = RoutePolicy.builder()
            .breaker(new RoutePolicy.Breaker(Integer.MAX_VALUE, Duration.ZERO, 1, 1, Duration.ZERO))
            .build();
    private static final double TOKENS_PER_SECOND = 1000;

    @Test
    @DisplayName("the gap of a continued stream is one prefill and a little")
    void gap() throws Exception {
        try (Bench bench = new Bench();
                VllmStandIn first = VllmStandIn.builder()
                        .tokensPerSecond(TOKENS_PER_SECOND)
                        .keepRequests(0)
                        .start();
                VllmStandIn second = VllmStandIn.builder()
                        .timeToFirstToken(PREFILL)
                        .tokensPerSecond(TOKENS_PER_SECOND)
                        .keepRequests(0)
                        .start()) {
            first.inject(Fault.reset(Moment.atToken(12)));
            bench.router.put(Bench.route(
                    List.of(Bench.serverless("second", second.uri())),
                    List.of(Bench.spot("first", first.uri())),
                    NEVER_PUT_OFF));
            double[] gaps = new double[ROUNDS];
            for (int i = -WARM_UP; i < ROUNDS; i++) {
                double gap = gap(bench, i);
                if (i >= 0) {
                    gaps[i] = gap;
                }
            }
            Arrays.sort(gaps);
            // The first backend resets when its next token is due, one interval after the last.
            double prefill = PREFILL.toNanos() / 1e6 + 1000 / TOKENS_PER_SECOND;
            System.out.printf(
                    "gap at the seam beyond one prefill of %d ms: median %.2f ms, p90 %.2f ms, p99 %.2f ms (%d streams)%n",
                    PREFILL.toMillis(),
                    gaps[ROUNDS / 2] - prefill,
                    gaps[ROUNDS * 9 / 10] - prefill,
                    gaps[ROUNDS * 99 / 100] - prefill,
                    ROUNDS);
            assertThat(gaps[0]).isPositive();
        }
    }

    /** Milliseconds between the last event before the seam and the first one behind it. */
    private static double gap(Bench bench, int round) throws Exception {
        try (Socket client = bench.socket()) {
            client.setTcpNoDelay(true);
            Bench.send(client, Bench.raw(Bench.chat("question " + round, ",\"stream\":true"), "Connection: close"));
            var lines = new BufferedReader(new InputStreamReader(client.getInputStream(), StandardCharsets.UTF_8));
            long last = 0;
            double gap = -1;
            boolean seam = false;
            boolean done = false;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                seam |= line.startsWith(": continued by");
                done |= line.equals("data: [DONE]");
                if (line.startsWith("data: ")) {
                    long now = System.nanoTime();
                    if (seam && gap < 0) {
                        gap = (now - last) / 1e6;
                    }
                    last = now;
                }
            }
            assertThat(done).as("a whole stream, with a seam").isTrue();
            assertThat(seam).isTrue();
            return gap;
        }
    }
}
