package dev.tuna.router.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.router.RouteBackend;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The turns of a conversation meet the replica that has its beginning in its prefix cache. */
class AffinityTest {

    private static final int REPLICAS = 3;

    private final Bench bench = new Bench();
    private final List<RouteBackend> replicas = new ArrayList<>();

    @BeforeEach
    void startReplicas() {
        for (int i = 1; i <= REPLICAS; i++) {
            VllmStandIn replica = bench.standIn();
            replicas.add(Bench.spot("spot-" + i, replica.uri()));
        }
        bench.route(List.of(), replicas);
    }

    @AfterEach
    void close() {
        bench.close();
    }

    /** A conversation as its client tells it in a later turn. */
    private static String turn(int conversation, int turn, boolean stream) {
        StringBuilder body = new StringBuilder("{\"model\":\"" + Bench.MODEL + "\",\"messages\":["
                + "{\"role\":\"system\",\"content\":\"be brief\"},{\"role\":\"user\",\"content\":\"story "
                + conversation + "\"}");
        for (int i = 0; i < turn; i++) {
            body.append(",{\"role\":\"assistant\",\"content\":\"once\"},{\"role\":\"user\",\"content\":\"go on ")
                    .append(i)
                    .append("\"}");
        }
        return body.append("],\"max_tokens\":2,\"stream\":")
                .append(stream)
                .append('}')
                .toString();
    }

    private String backendOf(String body) throws Exception {
        HttpResponse<String> answer = bench.post(body);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        bench.settled(); // what has been answered is no load
        return answer.headers().firstValue("x-tuna-backend").orElseThrow();
    }

    private Set<String> backendsOf(int conversation, int turns) throws Exception {
        Set<String> met = new HashSet<>();
        for (int turn = 0; turn < turns; turn++) {
            met.add(backendOf(turn(conversation, turn, turn % 2 == 0)));
        }
        return met;
    }

    @Test
    @DisplayName(
            "R-46 all turns of a conversation, streamed or not, are answered by one replica, and conversations by all")
    void turnsMeetOneReplica() throws Exception {
        Set<String> all = new HashSet<>();
        for (int conversation = 0; conversation < 12; conversation++) {
            Set<String> met = backendsOf(conversation, 5);
            assertThat(met).hasSize(1);
            all.addAll(met);
        }
        assertThat(all).hasSize(REPLICAS);
    }

    @Test
    @DisplayName("R-46 prompts that begin alike are answered by one replica")
    void promptsMeetOneReplica() throws Exception {
        Set<String> met = new HashSet<>();
        for (int i = 0; i < 6; i++) {
            String body = "{\"model\":\"" + Bench.MODEL + "\",\"prompt\":\"" + "long ago ".repeat(200) + i
                    + "\",\"max_tokens\":1}";
            HttpResponse<String> answer =
                    Bench.client().send(bench.request("/v1/completions", body), HttpResponse.BodyHandlers.ofString());
            met.add(answer.headers().firstValue("x-tuna-backend").orElseThrow());
            bench.settled();
        }
        assertThat(met).hasSize(1);
    }

    @Test
    @DisplayName("R-46 when a replica leaves, the conversations of the others stay where they are")
    void othersStay() throws Exception {
        List<String> before = new ArrayList<>();
        for (int conversation = 0; conversation < 12; conversation++) {
            before.add(backendOf(turn(conversation, 0, false)));
        }
        bench.route(List.of(), replicas.subList(0, REPLICAS - 1));
        for (int conversation = 0; conversation < 12; conversation++) {
            String now = backendOf(turn(conversation, 1, false));
            if (before.get(conversation).equals("spot-" + REPLICAS)) {
                assertThat(now).isNotEqualTo("spot-" + REPLICAS);
            } else {
                assertThat(now).isEqualTo(before.get(conversation));
            }
        }
    }

    @Test
    @DisplayName("R-46 without affinity the least busy replica answers, equals in turn")
    void canBeSwitchedOff() throws Exception {
        bench.router.put(Bench.route(
                List.of(), replicas, Bench.POLICY.toBuilder().affinity(false).build()));

        assertThat(backendsOf(1, 3)).hasSize(REPLICAS);
    }
}
