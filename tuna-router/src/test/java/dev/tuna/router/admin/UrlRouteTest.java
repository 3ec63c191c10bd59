package dev.tuna.router.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.Secret;
import dev.tuna.router.Route;
import dev.tuna.router.RouteBackend;
import dev.tuna.testkit.time.VirtualTime;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class UrlRouteTest {

    private final VirtualTime time = VirtualTime.create();
    private final HttpClient client = HttpClient.newHttpClient();
    private final List<Route> routes = new CopyOnWriteArrayList<>();

    @Test
    @DisplayName("X-01 R-04 a replica is used once it answers, leaves when it stops and comes back")
    void followsItsReplicas() {
        try (VllmStandIn replica = VllmStandIn.start();
                UrlRoute route = builder().spot(List.of(replica.uri())).start(routes::add, time.scheduler(), client)) {
            assertThat(routes.get(0).replicas()).as("before it has answered").isEmpty();
            assertThat(routes.get(0).warming()).isEqualTo(1);
            await(() -> urls(last().replicas()).equals(List.of(replica.uri())));
            assertThat(last().warming()).isZero();
            assertThat(last().models()).containsExactly(Route.ANY_MODEL);

            replica.kill();
            awaitWithRounds(() -> last().replicas().isEmpty());
            assertThat(last().warming()).isEqualTo(1);

            try (VllmStandIn again = VllmStandIn.builder().port(replica.port()).start()) {
                awaitWithRounds(() -> urls(last().replicas()).equals(List.of(again.uri())));
                assertThat(last().replicas().get(0).id()).isEqualTo("spot-1");
            }
            assertThat(route.deployment()).isEqualTo("solo");
        }
    }

    @Test
    @DisplayName("R-31 serverless endpoints are never probed")
    void neverAsksServerless() {
        try (VllmStandIn serverless = VllmStandIn.start();
                VllmStandIn replica = VllmStandIn.start();
                UrlRoute route = builder()
                        .serverless(List.of(serverless.uri()))
                        .spot(List.of(replica.uri()))
                        .start(routes::add, time.scheduler(), client)) {
            awaitWithRounds(() -> replica.requests("/health").size() >= 3);

            assertThat(urls(last().serverless())).containsExactly(serverless.uri());
            assertThat(serverless.requests()).isEmpty();
            assertThat(route.deployment()).isEqualTo("solo");
        }
    }

    @Test
    @DisplayName("R-24 new URLs are watched at once, old ones no longer")
    void changesBackends() {
        try (VllmStandIn first = VllmStandIn.start();
                VllmStandIn second = VllmStandIn.start();
                UrlRoute route = builder().spot(List.of(first.uri())).start(routes::add, time.scheduler(), client)) {
            await(() -> urls(last().replicas()).equals(List.of(first.uri())));

            route.change(new EditableRoute.Change(
                    Optional.of(List.of(URI.create("https://provider.example"))),
                    Optional.of(Secret.of("t0ken")),
                    Optional.of(List.of(second.uri()))));
            await(() -> urls(last().replicas()).equals(List.of(second.uri())));
            int asked = first.requests().size();
            awaitWithRounds(() -> second.requests().size() >= 4);

            assertThat(first.requests()).hasSize(asked);
            assertThat(last().serverless())
                    .singleElement()
                    .satisfies(backend -> assertThat(backend.address()
                                    .credential()
                                    .orElseThrow()
                                    .value()
                                    .reveal())
                            .isEqualTo("Bearer t0ken"));
        }
    }

    @Test
    void whatAnswersWithoutServingIsNoReplica() {
        try (VllmStandIn replica = VllmStandIn.start();
                UrlRoute route = builder()
                        .spot(List.of(replica.uri()))
                        .healthPath("/v1/completions")
                        .start(routes::add, time.scheduler(), client)) {
            awaitWithRounds(() -> replica.requests().size() >= 3);

            assertThat(routes).hasSize(1);
            assertThat(route.deployment()).isEqualTo("solo");
        }
    }

    @Test
    void stopsAskingWhenClosed() {
        try (VllmStandIn replica = VllmStandIn.start()) {
            UrlRoute route = builder().spot(List.of(replica.uri())).start(routes::add, time.scheduler(), client);
            await(() -> !last().replicas().isEmpty());
            route.close();
            route.close();
            int asked = replica.requests().size();
            time.advance(Duration.ofMinutes(1));

            assertThat(time.pending()).isZero();
            assertThat(replica.requests()).hasSize(asked);
        }
    }

    @Test
    void needsAKeyOrPublicAccess() {
        assertThatThrownBy(() -> UrlRoute.builder("solo").start(routes::add, time.scheduler(), client))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("solo");
        assertThat(time.pending()).as("nothing is left behind").isZero();
    }

    private static UrlRoute.Builder builder() {
        return UrlRoute.builder("solo").publicAccess(true);
    }

    private Route last() {
        return routes.get(routes.size() - 1);
    }

    private static List<URI> urls(List<RouteBackend> backends) {
        return backends.stream().map(backend -> backend.address().url()).toList();
    }

    private void awaitWithRounds(BooleanSupplier condition) {
        await(() -> {
            time.advance(Duration.ofSeconds(5));
            return condition.getAsBoolean();
        });
    }

    private static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - deadline).as("still waiting").isNegative();
            LockSupport.parkNanos(5_000_000);
        }
    }
}
