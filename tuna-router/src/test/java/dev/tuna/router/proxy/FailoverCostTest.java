package dev.tuna.router.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.router.RoutePolicy;
import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.Fault.Moment;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * How much later an answer begins for a backend that failed before it, the failed attempt included. Prints it; machines
 * differ, so nothing is asserted of the times.
 */
@Tag("full")
class FailoverCostTest {

    private static final int ROUNDS = 400;
    private static final int WARM_UP = 200;
    private static final RoutePolicy NEVER_PUT_OFF = RoutePolicy.builder()
            .breaker(new RoutePolicy.Breaker(Integer.MAX_VALUE, Duration.ZERO, 1, 1, Duration.ZERO))
            .build();

    static Stream<Arguments> failures() {
        return Stream.of(
                Arguments.of("refuses the connection", Fault.refuse()),
                Arguments.of("resets the connection", Fault.reset(Moment.BEFORE_HEADERS)),
                Arguments.of("answers 503", Fault.status(503)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("failures")
    @DisplayName("what a failure before the first byte adds to the time to it")
    void delay(String what, Fault fault) throws Exception {
        try (Bench bench = new Bench();
                VllmStandIn bad = quick();
                VllmStandIn good = quick()) {
            bad.inject(fault);
            bench.router.put(Bench.route(
                    List.of(Bench.serverless("good", good.uri())),
                    List.of(Bench.spot("bad", bad.uri())),
                    NEVER_PUT_OFF));
            double[] direct = new double[ROUNDS];
            double[] failedOver = new double[ROUNDS];
            try (WireClient client = WireClient.to(bench.port())) {
                for (int i = -WARM_UP; i < ROUNDS; i++) {
                    double without = millisToHead(client, i, "1", "x-tuna-tier: serverless");
                    double with = millisToHead(client, i, "2", "x-tuna-continuation: on");
                    if (i >= 0) {
                        direct[i] = without;
                        failedOver[i] = with;
                    }
                }
            }
            Arrays.sort(direct);
            Arrays.sort(failedOver);
            double usual = direct[ROUNDS / 2];
            System.out.printf(
                    "first backend %s: the answer begins later by %.2f ms at the median, p99 %.2f ms"
                            + " (without failure it begins after %.2f ms, p99 %.2f ms; %d requests)%n",
                    what,
                    failedOver[ROUNDS / 2] - usual,
                    failedOver[ROUNDS * 99 / 100] - usual,
                    usual,
                    direct[ROUNDS * 99 / 100],
                    ROUNDS);
        }
    }

    private static VllmStandIn quick() {
        return VllmStandIn.builder().keepRequests(0).start();
    }

    private static double millisToHead(WireClient client, int round, String attempts, String field) throws Exception {
        long began = System.nanoTime();
        client.send(Bench.CHAT, Bench.chat("question " + round, ",\"stream\":true,\"max_tokens\":2"), field);
        WireClient.Head head = client.head();
        double millis = (System.nanoTime() - began) / 1e6;
        assertThat(head.status()).isEqualTo(200);
        assertThat(head.field("x-tuna-backend")).isEqualTo("good");
        assertThat(head.field("x-tuna-attempts")).isEqualTo(attempts);
        assertThat(client.body()).endsWith("data: [DONE]\n\n");
        return millis;
    }
}
