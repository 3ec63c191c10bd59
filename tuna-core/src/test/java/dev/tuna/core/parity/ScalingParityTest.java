package dev.tuna.core.parity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.core.Simulation;
import dev.tuna.spi.BackendAddress;
import dev.tuna.testkit.cloud.model.EndpointView;
import dev.tuna.testkit.cloud.simulated.CloudCall.Operation;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What the keys of a scaling policy do to machines and at the provider: rows S-01 to S-05. */
class ScalingParityTest {

    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final Simulation world = new Simulation();

    @AfterEach
    void close() {
        world.close();
    }

    private Deployment deploy(DeployRequest.Builder request) {
        return world.start().deploy(request.serverlessProviders("local").build());
    }

    private Deployment deploy(ScalingPolicy.Spot spot) {
        return deploy(Simulation.chat().scaling(ScalingPolicy.DEFAULT.withSpot(spot)));
    }

    private Deployment deploy(ScalingPolicy.Serverless serverless) {
        Deployment chat = deploy(Simulation.chat()
                .serverlessOnly(true)
                .scaling(new ScalingPolicy(ScalingPolicy.DEFAULT.spot(), serverless)));
        assertThat(world.until(() -> chat.ready().isDone())).isTrue();
        return chat;
    }

    private EndpointView endpoint() {
        return world.cloud.snapshot().endpoints().get(0);
    }

    private void requests(int number, Duration serviceTime) {
        for (int i = 0; i < number; i++) {
            world.gateway.request("chat", serviceTime);
        }
    }

    @Test
    @DisplayName("S-01: the fleet is never smaller than its minimum nor larger than its maximum")
    void theFleetKeepsItsLimits() {
        deploy(ScalingPolicy.Spot.builder()
                .minReplicas(2)
                .maxReplicas(3)
                .targetQps(0.5)
                .build());
        world.pass(Duration.ofHours(1));
        assertThat(world.running()).as("without a request").hasSize(2);
        world.traffic("chat", Duration.ofMinutes(5), Duration.ofMillis(250), SECOND);
        assertThat(world.running()).as("at four a second").hasSize(3);
        world.pass(Duration.ofHours(1));
        assertThat(world.running()).as("afterwards").hasSize(2);
        assertThat(world.cloud.callCount(Operation.LAUNCH)).isEqualTo(3);
    }

    @Test
    @DisplayName("S-02: load is requests a second, tokens a second or requests in flight, whichever asks for most")
    void tokensAskForReplicasToo() {
        deploy(ScalingPolicy.Spot.builder()
                .targetQps(10)
                .targetTokensPerSecond(100)
                .build());
        for (Instant end = world.time.instant().plus(Duration.ofMinutes(20));
                world.time.instant().isBefore(end);
                world.pass(SECOND.multipliedBy(10))) {
            world.gateway.request("chat", SECOND);
            world.gateway.generated("chat", 2_500);
        }
        assertThat(world.running())
                .as("few requests, 250 tokens a second, 100 for each")
                .hasSize(3);
    }

    @Test
    @DisplayName("S-03: more replicas come after the up-scale delay, fewer are kept after the down-scale delay")
    void delaysAreKept() {
        Deployment chat = deploy(ScalingPolicy.Spot.builder()
                .maxReplicas(2)
                .targetQps(0.5)
                .upscaleDelay(Duration.ofMinutes(2))
                .downscaleDelay(Duration.ofMinutes(10))
                .build());
        assertThat(world.spotServes(chat)).isTrue();
        world.traffic("chat", Duration.ofSeconds(110), SECOND, SECOND);
        assertThat(world.running()).as("just before the up-scale delay").hasSize(1);
        world.traffic("chat", Duration.ofSeconds(90), SECOND, SECOND);
        assertThat(world.running()).as("after it").hasSize(2);
        world.traffic("chat", Duration.ofMinutes(20), SECOND, SECOND);
        world.pass(Duration.ofMinutes(9));
        assertThat(world.running()).as("just before the down-scale delay").hasSize(2);
        world.pass(Duration.ofMinutes(5));
        assertThat(world.running()).as("after it").hasSize(1);
        world.pass(Duration.ofMinutes(10));
        assertThat(world.running()).as("after it once more").isEmpty();
    }

    @Test
    @DisplayName("S-04: concurrency and scale-down window are what the provider scales its containers by")
    void theProviderIsGivenConcurrencyAndWindow() {
        deploy(ScalingPolicy.Serverless.builder()
                .concurrency(4)
                .scaledownWindow(Duration.ofMinutes(7))
                .build());
        world.pass(Duration.ofMinutes(20));
        assertThat(endpoint().containers()).isEmpty();
        requests(8, MINUTE);
        world.pass(SECOND);
        assertThat(endpoint().containers()).as("eight requests, four in each").hasSize(2);
        world.pass(
                Duration.ofSeconds(40).plus(MINUTE).plus(Duration.ofMinutes(7)).minusSeconds(10));
        assertThat(endpoint().completed())
                .as("with the one that found it ready")
                .isEqualTo(9);
        assertThat(endpoint().containers()).as("within the window").hasSize(2);
        world.pass(Duration.ofSeconds(20));
        assertThat(endpoint().containers()).as("after it").isEmpty();
    }

    @Test
    @DisplayName("S-04: the provider ends what takes longer than the timeout, and the router is told how long that is")
    void theProviderIsGivenTheTimeout() {
        deploy(ScalingPolicy.Serverless.builder().timeout(MINUTE).build());
        BackendAddress address = world.gateway.route("chat").serverless().get(0).address();
        assertThat(address.hardLimit()).contains(MINUTE);
        var quick = world.cloud.request(address, Duration.ofSeconds(10));
        var slow = world.cloud.request(address, Duration.ofMinutes(5));
        world.pass(Duration.ofMinutes(2));
        assertThat(quick).isCompletedWithValue(200);
        assertThat(slow).isCompleted();
        assertThat(slow.join()).isNotEqualTo(200);
    }

    @Test
    @DisplayName("S-05: the provider keeps the least number of workers and never goes beyond the highest")
    void theProviderKeepsTheLimitsOfWorkers() {
        deploy(ScalingPolicy.Serverless.builder()
                .concurrency(1)
                .workersMin(2)
                .workersMax(3)
                .build());
        world.pass(Duration.ofHours(1));
        assertThat(endpoint().containers()).as("without a request").hasSize(2);
        requests(10, MINUTE);
        world.pass(Duration.ofSeconds(30));
        assertThat(endpoint().containers()).as("ten requests, one in each").hasSize(3);
        world.pass(Duration.ofHours(1));
        assertThat(endpoint().containers()).as("afterwards").hasSize(2);
        assertThat(endpoint().refused()).isZero();
    }

    @Test
    @DisplayName("S-04, S-05: every key of the serverless half is in what the provider is sent")
    void everyKeyIsSent() {
        var serverless = ScalingPolicy.Serverless.builder()
                .concurrency(3)
                .scaledownWindow(Duration.ofSeconds(77))
                .timeout(Duration.ofSeconds(88))
                .workersMin(1)
                .workersMax(6)
                .scalerValue(9)
                .build();
        var request = Simulation.chat().scaling(new ScalingPolicy(ScalingPolicy.DEFAULT.spot(), serverless));
        assertThat(world.start().plan(request.build()).steps())
                .filteredOn(step -> step.provider().equals("local"))
                .singleElement()
                .satisfies(step -> assertThat(step.body())
                        .contains(
                                "\"concurrency\":3",
                                "PT1M17S",
                                "PT1M28S",
                                "\"workersMin\":1",
                                "\"workersLimit\":6",
                                "\"scalerValue\":9"));
    }
}
