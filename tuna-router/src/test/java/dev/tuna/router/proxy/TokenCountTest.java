package dev.tuna.router.proxy;

import static dev.tuna.router.proxy.Bench.events;
import static dev.tuna.router.proxy.Bench.spot;
import static dev.tuna.router.proxy.Bench.stream;
import static org.assertj.core.api.Assertions.assertThat;

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
}
