package dev.tuna.router.proxy;

import static dev.tuna.router.proxy.Bench.events;
import static dev.tuna.router.proxy.Bench.spot;
import static dev.tuna.router.proxy.Bench.stream;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.Fault.Moment;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Scaling by tokens needs to know how many were generated. */
class TokenCountTest {

    private final Bench bench = new Bench();
    private final VllmStandIn replica = bench.standIn();

    @AfterEach
    void close() {
        bench.close();
    }

    @Test
    void eachEventOfAStreamCountsExceptItsBeginningAndItsEndMark() throws Exception {
        bench.route(List.of(), List.of(spot("spot-1", replica.uri())));
        int events = events(bench.post(stream("hello")).body()).size();
        bench.settled();
        assertThat(events).isGreaterThan(3);
        assertThat(bench.load().tokens()).isEqualTo(events - 2);
        var unused = bench.post(stream("hello"));
        bench.settled();
        assertThat(bench.load().tokens()).isEqualTo(2L * (events - 2));
    }

    @Test
    void usageIsNoTokenAndTokensBehindASeamAre() throws Exception {
        String body =
                Bench.chat("hello", ",\"stream\":true,\"max_tokens\":8,\"stream_options\":{\"include_usage\":true}");
        bench.route(List.of(), List.of(spot("spot-1", replica.uri())));
        int events = events(bench.post(body).body()).size();
        bench.settled();
        long whole = bench.load().tokens();
        assertThat(whole).isEqualTo(events - 3);

        replica.inject(Fault.eof(Moment.atToken(4)));
        bench.route(List.of(Bench.serverless("cloud", bench.standIn().uri())), List.of(spot("spot-1", replica.uri())));
        assertThat(bench.post(body).body()).contains(": continued by");
        bench.settled();
        assertThat(bench.load().tokens() - whole).isGreaterThanOrEqualTo(whole);
    }
}
