package dev.tuna.router.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.router.RoutePolicy;
import dev.tuna.router.http.RequestBody;
import dev.tuna.router.select.BackendSelector;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What it costs to know conversations again. Prints CPU time, which other processes hardly change. */
@Tag("full")
class AffinityCostTest {

    private static final int TIMES = 20_000;
    private static final int ROUNDS = 15;

    private interface Work {
        long once() throws Exception;
    }

    @Test
    @DisplayName("the cost of knowing a conversation again, beside reading a request and choosing a replica")
    void cost() throws Exception {
        for (int turns : List.of(1, 20)) {
            compare(
                    "scanning a chat of " + body(turns, "messages").length + " bytes",
                    scan(body(turns, "Messages")),
                    scan(body(turns, "messages")));
        }
        for (int replicas : List.of(1, 4, 16)) {
            compare(
                    "choosing among " + replicas,
                    choice(replicas, OptionalLong.empty()),
                    choice(replicas, OptionalLong.of(4711)));
        }
    }

    private static byte[] body(int turns, String field) {
        String text = "a sentence of the usual kind, with some words in it. ".repeat(4);
        String turn = "{\"role\":\"user\",\"content\":\"" + text + "\"},{\"role\":\"assistant\",\"content\":\"" + text
                + "\"},";
        return ("{\"model\":\"m\",\"" + field + "\":[{\"role\":\"system\",\"content\":\"" + text + "\"},"
                        + turn.repeat(turns)
                        + "{\"role\":\"user\",\"content\":\"and?\"}],\"stream\":true,\"max_tokens\":100}")
                .getBytes(StandardCharsets.UTF_8);
    }

    /** A field of another name is passed over, like everything else that does not matter. */
    private static Work scan(byte[] body) {
        ByteBuf direct = Unpooled.directBuffer(body.length).writeBytes(body);
        return () -> RequestBody.scan(direct, "application/json").choices();
    }

    private static Work choice(int replicas, OptionalLong conversation) {
        List<BackendRuntime> fleet = IntStream.range(0, replicas)
                .mapToObj(i -> new BackendRuntime(
                        Bench.spot("spot-" + i, URI.create("http://127.0.0.1:1")), RoutePolicy.DEFAULT, 0, () -> {}))
                .toList();
        int[] turn = {0};
        return () -> BackendSelector.choose(
                        fleet, List.<BackendRuntime>of(), backend -> false, conversation, turn[0]++, 1)
                .backend()
                .inFlight();
    }

    private static void compare(String what, Work without, Work with) throws Exception {
        double[] before = new double[ROUNDS];
        double[] after = new double[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            before[round] = nanos(without);
            after[round] = nanos(with);
        }
        Arrays.sort(before);
        Arrays.sort(after);
        System.out.printf(
                "%s: %.0f ns CPU, with its conversation %.0f ns, ratio %.2f%n",
                what, before[ROUNDS / 2], after[ROUNDS / 2], after[ROUNDS / 2] / before[ROUNDS / 2]);
    }

    private static double nanos(Work work) throws Exception {
        var threads = ManagementFactory.getThreadMXBean();
        long begin = threads.getCurrentThreadCpuTime();
        long sum = 0;
        for (int i = 0; i < TIMES; i++) {
            sum += work.once();
        }
        assertThat(sum).isNotNegative();
        return (threads.getCurrentThreadCpuTime() - begin) / (double) TIMES;
    }
}
