package dev.tuna.core.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DeploymentStatus.BackendStatus;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.SpotState;
import dev.tuna.api.Tier;
import dev.tuna.core.ForwardingServerless;
import dev.tuna.core.Simulation;
import dev.tuna.core.Tuna;
import dev.tuna.core.TunaBuilder;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.testkit.cloud.simulated.CallFault;
import dev.tuna.testkit.cloud.simulated.CloudCall.Operation;
import dev.tuna.testkit.cloud.simulated.FaultScript;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How deployments begin: rows O-05 to O-20 and F-14. */
class DeployParityTest {

    private static final Duration SECOND = Duration.ofSeconds(1);

    private final Simulation world = new Simulation();

    @AfterEach
    void close() {
        world.close();
    }

    private static DeployRequest.Builder chat() {
        return Simulation.chat().serverlessProviders("local");
    }

    @Test
    @DisplayName("O-05: both tiers are checked before anything is made, and the status says at once what is wrong")
    void bothTiersArePreflighted() {
        world.cloud.faults(FaultScript.onEvery(Operation.READ_POOLS, CallFault.status(403)));
        Deployment chat = world.start().deploy(chat().build());
        world.pass(Duration.ofSeconds(5));
        assertThat(chat.status().problems())
                .anyMatch(problem -> problem.contains("local-spot cannot rent replicas") && problem.contains("403"));
        assertThat(world.cloud.callCount(Operation.LAUNCH)).isZero();
    }

    @Test
    @DisplayName("O-05, O-19: a deployment that no provider can take makes nothing and fails with every reason")
    void nothingIsMadeWhereThePreflightFails() {
        world.cloud.faults(FaultScript.onEvery(Operation.READ_PRICES, CallFault.status(401)));
        Deployment chat = world.start().deploy(chat().serverlessOnly(true).build());
        assertThat(world.until(() -> chat.status().phase() == DeploymentPhase.FAILED))
                .isTrue();
        assertThat(chat.status().problems()).singleElement().asString().contains("local", "401");
        assertThat(world.cloud.snapshot().endpoints()).isEmpty();
    }

    @Test
    @DisplayName("O-06: the client key is handed out with the deployment, and is the same after a restart")
    void theKeyIsShownToTheUser() {
        String key = world.start().deploy(chat().build()).apiKey().orElseThrow().reveal();
        assertThat(key).startsWith("tuna-").hasSizeGreaterThan(40);
        assertThat(world.restart()
                        .deployment("chat")
                        .orElseThrow()
                        .apiKey()
                        .orElseThrow()
                        .reveal())
                .isEqualTo(key);
    }

    @Test
    @DisplayName("O-07, O-08, O-09, O-14: deploy returns at once; the endpoint answers before any machine exists")
    void theEndpointAnswersAtOnce() {
        Deployment chat = world.start().deploy(chat().build());
        assertThat(world.gateway.has("chat")).isTrue();
        assertThat(world.running()).isEmpty();
        world.gateway.request("chat", SECOND);
        assertThat(chat.status().traffic().waiting()).isEqualTo(1);
        assertThat(world.until(() -> chat.status().traffic().succeeded() == 1)).isTrue();
        assertThat(chat.status().spotState()).isEqualTo(SpotState.WARMING);
        assertThat(chat.status().traffic().byTier()).containsOnlyKeys(Tier.SERVERLESS);
    }

    @Test
    @DisplayName("O-07: both tiers are begun side by side")
    void serverlessDoesNotWaitForSpotNorSpotForServerless() {
        world.start().deploy(chat().build());
        world.pass(SECOND);
        assertThat(world.cloud.callCount(Operation.PUT_ENDPOINT)).isEqualTo(1);
        assertThat(world.cloud.callCount(Operation.LAUNCH)).isEqualTo(1);
    }

    @Test
    @DisplayName("O-09, O-12, O-13: no machine is rented for a router, and replicas are begun without a request")
    void nothingIsRentedButReplicas() {
        Deployment chat = world.start().deploy(chat().build());
        assertThat(world.spotServes(chat)).isTrue();
        assertThat(world.cloud.snapshot().replicas()).hasSize(1);
        assertThat(chat.status().backends())
                .extracting(BackendStatus::tier)
                .containsExactlyInAnyOrder(Tier.SERVERLESS, Tier.SPOT);
    }

    @Test
    @DisplayName("O-10, O-15: two deployments share an endpoint, and each one's requests go to its own backends")
    void aSecondDeploymentHasBackendsOfItsOwn() {
        Deployment chat = world.start().deploy(chat().build());
        Deployment other = world.tuna.deploy(DeployRequest.builder("other/model", "L4")
                .serviceName("other")
                .serverlessProviders("local")
                .build());
        assertThat(world.spotServes(chat)).isTrue();
        assertThat(world.spotServes(other)).isTrue();
        assertThat(other.endpoint()).isEqualTo(chat.endpoint());
        assertThat(world.gateway.route("chat").replicas())
                .doesNotContainAnyElementsOf(world.gateway.route("other").replicas());
        assertThat(chat.apiKey()).isNotEqualTo(other.apiKey());
        assertThat(world.until(chat.destroy()::isDone)).isTrue();
        world.gateway.request("other", SECOND);
        assertThat(world.until(() -> other.status().traffic().succeeded() == 1)).isTrue();
    }

    @Test
    @DisplayName("O-11, O-16: a backend is routed when it serves and not before, and no step can be missed")
    void backendsAreRoutedByWhatTheyAre() {
        Deployment chat = world.start().deploy(chat().build());
        world.pass(Duration.ofMinutes(2));
        assertThat(world.gateway.route("chat").replicas()).isEmpty();
        assertThat(world.gateway.route("chat").warming()).isEqualTo(1);
        assertThat(world.spotServes(chat)).isTrue();
        assertThat(world.gateway.route("chat").replicas()).hasSize(1);
        world.cloud.lose(world.running().get(0).id());
        world.pass(Duration.ofSeconds(10));
        assertThat(world.gateway.route("chat").replicas()).isEmpty();
    }

    @Test
    @DisplayName("O-14, O-15: a port where somebody else answers is no endpoint: the start says so and makes nothing")
    void aPortOfSomebodyElseIsRefused(@TempDir Path directory) throws IOException {
        try (var other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            TunaBuilder builder = Tuna.builder().stateDirectory(directory).listen("127.0.0.1", other.getLocalPort());
            assertThatThrownBy(builder::start)
                    .isInstanceOfSatisfying(
                            ConfigurationException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.ENDPOINT_UNAVAILABLE))
                    .hasMessageContaining("127.0.0.1:" + other.getLocalPort());
        }
    }

    @Test
    @DisplayName("O-17, O-18: serverless is warmed by a real request, with the credential that its provider asks for")
    void serverlessIsWarmedByARealRequest() {
        Deployment chat = world.start().deploy(chat().serverlessOnly(true).build());
        assertThat(world.until(() -> chat.ready().isDone())).isTrue();
        assertThat(world.cloud.snapshot().endpoints().get(0).completed()).isEqualTo(1);
        assertThat(world.gateway.route("chat").serverless().get(0).address().credential())
                .isPresent();
    }

    @Test
    @DisplayName("O-19: serverless is refused, spot serves, and the status says so")
    void spotServesWhereServerlessIsRefused() {
        world.cloud.faults(FaultScript.onEvery(Operation.PUT_ENDPOINT, CallFault.status(403)));
        Deployment chat = world.start().deploy(chat().build());
        assertThat(world.spotServes(chat)).isTrue();
        world.gateway.request("chat", SECOND);
        assertThat(world.until(() -> chat.status().traffic().succeeded() == 1)).isTrue();
        assertThat(chat.status().phase()).isEqualTo(DeploymentPhase.ACTIVE);
        assertThat(chat.status().problems()).anyMatch(problem -> problem.contains("local") && problem.contains("403"));
    }

    @Test
    @DisplayName("O-19: no replica can be rented, serverless serves, and the status says so")
    void serverlessServesWhereSpotIsImpossible() {
        world.cloud.faults(FaultScript.onEvery(Operation.LAUNCH, CallFault.status(403)));
        Deployment chat = world.start().deploy(chat().build());
        assertThat(world.until(() -> chat.ready().isDone())).isTrue();
        world.traffic("chat", Duration.ofMinutes(10), Duration.ofSeconds(10), SECOND);
        assertThat(chat.status().traffic().failed()).isZero();
        assertThat(chat.status().phase()).isEqualTo(DeploymentPhase.ACTIVE);
        assertThat(chat.status().problems()).anyMatch(problem -> problem.contains("no replica can be rented"));
    }

    /** Makes what it was asked for, and then fails in a way that no contract allows. */
    private static final class Clumsy extends ForwardingServerless {
        private boolean failed;

        Clumsy(Simulation world) {
            super(world.cloud.serverless());
        }

        @Override
        public ResourceRef begin(ServerlessPlan plan) {
            ResourceRef made = super.begin(plan);
            if (!failed) {
                failed = true;
                throw new IllegalStateException("after the fact");
            }
            return made;
        }
    }

    @Test
    @DisplayName("O-19: what a plugin made before it failed by mistake is not forgotten")
    void aMistakeOfAPluginLeavesNoOrphan() {
        world.serverless = new Clumsy(world);
        Deployment chat = world.start().deploy(chat().serverlessOnly(true).build());
        assertThat(world.until(() -> chat.ready().isDone())).isTrue();
        assertThat(world.cloud.snapshot().endpoints()).hasSize(1);
        assertThat(world.until(chat.destroy()::isDone)).isTrue();
        assertThat(world.cloud.snapshot().empty()).isTrue();
    }

    /** Fails by mistake whatever it is to make. */
    private static final class Broken extends ForwardingServerless {
        private boolean mended;
        private int begins;

        Broken(Simulation world) {
            super(world.cloud.serverless());
        }

        @Override
        public ResourceRef begin(ServerlessPlan plan) {
            begins++;
            if (!mended) {
                throw new IllegalStateException("not today");
            }
            return super.begin(plan);
        }
    }

    private static List<String> providers(Deployment deployment) {
        return deployment.status().backends().stream()
                .filter(backend -> backend.tier() == Tier.SERVERLESS)
                .map(BackendStatus::provider)
                .toList();
    }

    @Test
    @DisplayName(
            "O-19, P-61: a provider that fails at every attempt is followed by the next one, and the status says why")
    void aProviderThatAlwaysFailsIsFollowedByTheNext() {
        var broken = new Broken(world);
        world.serverless = broken;
        world.others.add(world.cloud.serverless("other"));
        Deployment chat =
                world.start().deploy(Simulation.chat().serverlessOnly(true).build());
        assertThat(world.until(chat.ready()::isDone)).isTrue();
        assertThat(world.time.instant()).isBefore(chat.status().createdAt().plus(Duration.ofMinutes(2)));
        assertThat(broken.begins).as("tries before the next provider is asked").isEqualTo(3);
        assertThat(world.until(() -> providers(chat).equals(List.of("other")))).isTrue();
        assertThat(chat.status().problems()).singleElement().asString().contains("not used: local", "not today");
        assertThat(world.cloud.snapshot().endpoints())
                .filteredOn(endpoint -> endpoint.endedAt().isEmpty())
                .hasSize(1);
        world.pass(Duration.ofHours(3));
        assertThat(broken.begins).as("while another one serves").isEqualTo(3);
        assertThat(chat.status().problems()).isEmpty();
        assertThat(world.until(chat.destroy()::isDone)).isTrue();
        assertThat(world.cloud.snapshot().empty()).isTrue();
    }

    @Test
    @DisplayName("O-19: a provider that does not answer is followed by the next one too")
    void aProviderThatDoesNotAnswerIsFollowedByTheNext() {
        world.cloud.faults(call ->
                call.operation() == Operation.PUT_ENDPOINT && call.provider().equals("local")
                        ? Optional.of(CallFault.timeout())
                        : Optional.empty());
        world.others.add(world.cloud.serverless("other"));
        Deployment chat =
                world.start().deploy(Simulation.chat().serverlessOnly(true).build());
        assertThat(world.until(chat.ready()::isDone)).isTrue();
        assertThat(world.until(() -> providers(chat).equals(List.of("other")))).isTrue();
    }

    @Test
    @DisplayName(
            "O-19: without another provider the same one is asked with growing pauses, and used when it works again")
    void theOnlyProviderIsAskedWithGrowingPauses() {
        var broken = new Broken(world);
        world.serverless = broken;
        Deployment chat =
                world.start().deploy(Simulation.chat().serverlessOnly(true).build());
        world.pass(Duration.ofHours(1));
        assertThat(broken.begins).isBetween(8, 25);
        assertThat(chat.status().phase()).isEqualTo(DeploymentPhase.ACTIVE);
        assertThat(chat.status().problems()).singleElement().asString().contains("not today");
        broken.mended = true;
        assertThat(world.until(chat.ready()::isDone)).isTrue();
        assertThat(chat.status().problems()).isEmpty();
    }

    @Test
    @DisplayName("O-19: of two that fail each one gets its turn again")
    void ofTwoThatFailEachOneGetsItsTurnAgain() {
        var broken = new Broken(world);
        world.serverless = broken;
        world.others.add(world.cloud.serverless("other"));
        world.cloud.faults(call ->
                call.operation() == Operation.PUT_ENDPOINT && call.provider().equals("other")
                        ? Optional.of(CallFault.status(500))
                        : Optional.empty());
        Deployment chat =
                world.start().deploy(Simulation.chat().serverlessOnly(true).build());
        world.pass(Duration.ofMinutes(10));
        assertThat(chat.status().phase()).isEqualTo(DeploymentPhase.ACTIVE);
        assertThat(chat.status().problems()).anyMatch(problem -> problem.contains("500"));
        broken.mended = true;
        assertThat(world.until(chat.ready()::isDone)).isTrue();
        assertThat(world.until(() -> providers(chat).equals(List.of("local")))).isTrue();
    }

    @Test
    @DisplayName("O-19: a deployment whose endpoint was never made can be destroyed")
    void whatWasNeverMadeCanBeDestroyed() {
        world.serverless = new Broken(world);
        Deployment chat =
                world.start().deploy(Simulation.chat().serverlessOnly(true).build());
        world.pass(Duration.ofMinutes(10));
        assertThat(world.until(chat.destroy()::isDone)).isTrue();
    }

    @Test
    @DisplayName("O-19, O-20: a process that is killed while it deploys leaves a record of everything it may have made")
    void aKilledProcessLeavesARecord() {
        world.stepwise = true;
        world.start().deploy(chat().build());
        assertThat(world.until(() -> !world.running().isEmpty())).isTrue();
        Tuna next = world.crash();
        Deployment again = next.deployment("chat").orElseThrow();
        assertThat(world.until(again.destroy()::isDone)).isTrue();
        assertThat(world.cloud.snapshot().empty()).isTrue();
        assertThat(next.orphans().found()).isEmpty();
    }

    @Test
    @DisplayName("F-14: a name is what the strictest provider takes, and a live one is never taken over")
    void namesAreStrictAndUnique() {
        for (String name : new String[] {"Chat", "-chat", "chat-", "chat.v1", "chat_v1", "", "a".repeat(41)}) {
            assertThatThrownBy(() -> chat().serviceName(name).build()).hasMessageContaining("serviceName");
        }
        Deployment unnamed =
                world.start().deploy(DeployRequest.builder("other/model", "L4").build());
        assertThat(unnamed.name()).matches("tuna-[0-9a-f]{8}");
        Deployment chat = world.tuna.deploy(chat().build());
        assertThatThrownBy(() -> world.tuna.deploy(chat().maxModelLen(8192).build()))
                .hasMessageContaining("live already");
        assertThat(chat.request().maxModelLen()).isEqualTo(4096);
        assertThat(world.tuna.deployments()).hasSize(2);
    }
}
