package dev.tuna.router.admin;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.api.SpotState;
import dev.tuna.api.Tier;
import dev.tuna.router.BackendFailure;
import dev.tuna.router.BackendLoad;
import dev.tuna.router.BreakerPhase;
import dev.tuna.router.Route;
import dev.tuna.router.RouteLoad;
import dev.tuna.router.RoutePolicy;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class RouterMetersTest {

    private final MeterRegistry registry = new SimpleMeterRegistry();
    private final Map<String, RouterControl.RouteStatus> routes = new LinkedHashMap<>();
    private final RouterMeters meters = new RouterMeters(registry, new RouterControl() {
        @Override
        public List<RouteStatus> routes() {
            return List.copyOf(routes.values());
        }

        @Override
        public Optional<RouteStatus> route(String deployment) {
            return Optional.ofNullable(routes.get(deployment));
        }

        @Override
        public Optional<EditableRoute> editable(String deployment) {
            return Optional.empty();
        }

        @Override
        public boolean accepting() {
            return true;
        }
    });

    @Test
    @DisplayName("R-43 the counts of every route can be scraped and add up")
    void showsTheCountsOfTheMoment() {
        put("a", new TrafficStats(12, 7, 2, 3, 1, 4, 1, 1, Map.of(Tier.SPOT, 5L, Tier.SERVERLESS, 2L)));
        meters.routesChanged();
        put("a", new TrafficStats(13, 8, 2, 3, 1, 4, 1, 1, Map.of(Tier.SPOT, 6L, Tier.SERVERLESS, 2L)));

        assertThat(PrometheusText.of(registry).lines())
                .contains(
                        "tuna_router_requests_total{deployment=\"a\",outcome=\"succeeded\"} 8",
                        "tuna_router_requests_total{deployment=\"a\",outcome=\"failed\"} 2",
                        "tuna_router_requests_total{deployment=\"a\",outcome=\"client_error\"} 1",
                        "tuna_router_requests_total{deployment=\"a\",outcome=\"rejected\"} 3",
                        "tuna_router_answers_total{deployment=\"a\",tier=\"spot\"} 6",
                        "tuna_router_answers_total{deployment=\"a\",tier=\"serverless\"} 2",
                        "tuna_router_answers_total{deployment=\"a\",tier=\"on_demand\"} 0",
                        "tuna_router_backend_failures_total{deployment=\"a\",failure=\"no_answer\"} 6",
                        "tuna_router_requests_active{deployment=\"a\"} 1",
                        "tuna_router_requests_waiting{deployment=\"a\"} 1",
                        "tuna_router_spot_state{deployment=\"a\",state=\"warming\"} 1",
                        "tuna_router_spot_state{deployment=\"a\",state=\"ready\"} 0",
                        "tuna_router_backends{available=\"true\",deployment=\"a\"} 1",
                        "tuna_router_backends{available=\"false\",deployment=\"a\"} 2");
    }

    @Test
    void followsRoutesThatComeAndGo() {
        put("a", TrafficStats.NONE);
        meters.routesChanged();
        int each = registry.getMeters().size();
        put("b", TrafficStats.NONE);
        meters.routesChanged();
        meters.routesChanged();
        assertThat(registry.getMeters()).hasSize(2 * each);

        routes.remove("a");
        meters.routesChanged();
        assertThat(registry.getMeters())
                .hasSize(each)
                .allSatisfy(
                        meter -> assertThat(meter.getId().getTag("deployment")).isEqualTo("b"));
    }

    @Test
    void takesItsMetersAlongWhenClosed() {
        registry.counter("the.hosts.own");
        put("a", TrafficStats.NONE);
        meters.routesChanged();
        meters.close();
        meters.close();

        assertThat(registry.getMeters())
                .singleElement()
                .satisfies(meter -> assertThat(meter.getId().getName()).isEqualTo("the.hosts.own"));
    }

    private void put(String deployment, TrafficStats traffic) {
        Route route = new Route(
                deployment, List.of(deployment), List.of(), true, List.of(), List.of(), 1, RoutePolicy.DEFAULT);
        RouteLoad load = new RouteLoad(
                traffic,
                0,
                SpotState.WARMING,
                Map.of(
                        "x", new BackendLoad(0, 0, 0, true, BreakerPhase.CLOSED, 1, Optional.empty()),
                        "y", new BackendLoad(0, 0, 0, false, BreakerPhase.CLOSED, 1, Optional.empty()),
                        "z", new BackendLoad(0, 0, 0, false, BreakerPhase.CLOSED, 1, Optional.empty())));
        routes.put(deployment, new RouterControl.RouteStatus(route, load, Map.of(BackendFailure.NO_ANSWER, 6L)));
    }
}
