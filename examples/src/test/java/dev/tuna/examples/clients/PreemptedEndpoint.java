package dev.tuna.examples.clients;

import dev.tuna.api.Tier;
import dev.tuna.router.Route;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RoutePolicy;
import dev.tuna.router.RouterConfig;
import dev.tuna.router.RouterEngine;
import dev.tuna.spi.BackendAddress;
import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.Fault.Moment;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** A router before a spot replica that loses whatever it is asked, and a serverless endpoint that answers. */
final class PreemptedEndpoint implements AutoCloseable {

    private static final String NAME = "chat";

    private final VllmStandIn spot = VllmStandIn.start();
    private final VllmStandIn cloud = VllmStandIn.start();
    private final RouterEngine router = RouterEngine.builder()
            .config(RouterConfig.builder().port(0).ioThreads(1).build())
            .start();

    PreemptedEndpoint() {
        RoutePolicy policy = RoutePolicy.builder()
                .breaker(new RoutePolicy.Breaker(Integer.MAX_VALUE, Duration.ZERO, 1, 1, Duration.ZERO))
                .build();
        router.put(new Route(
                NAME,
                List.of(spot.model()),
                List.of(),
                true,
                List.of(RouteBackend.of("cloud", Tier.SERVERLESS, BackendAddress.of(cloud.uri()))),
                List.of(RouteBackend.of("spot-1", Tier.SPOT, BackendAddress.of(spot.uri()))),
                0,
                policy));
    }

    /** How a replica can go, as its clients see it. */
    static Stream<Arguments> preemptions() {
        return Stream.of(
                Arguments.of("killed", Fault.reset(Moment.atToken(7))),
                Arguments.of("cut off", Fault.eof(Moment.atToken(7))),
                Arguments.of("told to stop", Fault.abort(7)),
                Arguments.of("with a dead engine", Fault.errorEvent(7)));
    }

    void preempt(Fault fault) {
        spot.inject(fault);
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + router.address().getPort() + "/v1");
    }

    /** The serverless endpoint without a router before it, to compare with. */
    URI undisturbed() {
        return URI.create(cloud.uri() + "/v1");
    }

    String model() {
        return spot.model();
    }

    /** How many requests clients have sent that were answered, or again because they were not. */
    String answeredAndRetried() {
        var traffic = router.load(NAME).orElseThrow().traffic();
        long retries = router.metrics()
                .lines()
                .filter(line -> line.startsWith("tuna_router_client_retries_total{"))
                .mapToLong(line -> (long) Double.parseDouble(line.substring(line.indexOf("} ") + 2)))
                .sum();
        return traffic.succeeded() + " of " + traffic.requests() + " answered, " + retries + " sent again";
    }

    /** How many streams another backend went on with. */
    long continued() {
        return router.metrics()
                .lines()
                .filter(line -> line.startsWith("tuna_router_continuations_total{") && line.contains("\"continued\""))
                .mapToLong(line -> (long) Double.parseDouble(line.substring(line.indexOf("} ") + 2)))
                .sum();
    }

    @Override
    public void close() {
        router.close();
        spot.close();
        cloud.close();
    }
}
