package dev.tuna.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ControlPlane;
import dev.tuna.api.CostReport;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent.Kind;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DeploymentStatus.BackendStatus;
import dev.tuna.api.DestroyReport;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.RouterPlacement;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SpotState;
import dev.tuna.api.StoreException;
import dev.tuna.api.Tier;
import dev.tuna.core.catalog.Price;
import dev.tuna.core.control.ControlTimings;
import dev.tuna.testkit.cloud.model.CloudSettings;
import dev.tuna.testkit.cloud.simulated.CallFault;
import dev.tuna.testkit.cloud.simulated.CloudCall.Operation;
import dev.tuna.testkit.cloud.simulated.FaultScript;
import dev.tuna.testkit.cloud.simulated.SimulatedCloud;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The whole control plane on virtual time. */
class ControlPlaneTest {

    private static final Duration SECOND = Duration.ofSeconds(1);

    /** The ledger rounds each entry to the microdollar; the cloud's own meter rounds nothing. */
    private static final Offset<BigDecimal> ROUNDING = Offset.offset(new BigDecimal("0.00001"));

    private final Simulation world = new Simulation();

    @AfterEach
    void close() {
        world.close();
    }

    private Deployment deploy(DeployRequest request) {
        return world.start().deploy(request);
    }

    private boolean spotServes(Deployment deployment) {
        return world.until(() -> deployment.status().spotState() == SpotState.READY);
    }

    @Test
    void serverlessServesWhileSpotBootsAndThenSpotDoes() {
        Deployment chat = deploy(Simulation.chat().build());
        assertThat(chat.endpoint()).hasToString("http://127.0.0.1:8080/v1");
        assertThat(chat.apiKey()).isPresent();
        world.gateway.request("chat", SECOND);
        assertThat(world.until(() -> chat.status().traffic().succeeded() == 1)).isTrue();
        assertThat(chat.status().traffic().byTier()).isEqualTo(Map.of(Tier.SERVERLESS, 1L));
        assertThat(chat.ready()).isCompleted();

        assertThat(spotServes(chat)).isTrue();
        world.gateway.request("chat", SECOND);
        world.pass(Duration.ofSeconds(2));
        assertThat(chat.status().traffic().byTier()).isEqualTo(Map.of(Tier.SERVERLESS, 1L, Tier.SPOT, 1L));
        assertThat(chat.status().problems()).isEmpty();
    }

    @Test
    void whileSpotServesTheServerlessEndpointSeesNothingAndScalesToZero() {
        Deployment chat = deploy(Simulation.chat().build());
        assertThat(spotServes(chat)).isTrue();
        long before = world.cloud.snapshot().endpoints().get(0).requests();
        world.traffic("chat", Duration.ofMinutes(30), Duration.ofSeconds(3), SECOND);
        assertThat(world.cloud.snapshot().endpoints().get(0).requests()).isEqualTo(before);
        assertThat(world.cloud.snapshot().endpoints().get(0).containers()).isEmpty();
        assertThat(chat.status().backends())
                .filteredOn(backend -> backend.tier() == Tier.SERVERLESS)
                .extracting(BackendStatus::containers)
                .containsExactly(0);
    }

    @Test
    void aLostReplicaIsReplacedAtOnceAndItsRequestsAreServed() {
        Deployment chat = deploy(Simulation.chat().build());
        assertThat(spotServes(chat)).isTrue();
        String lost = world.running().get(0).id();
        world.gateway.request("chat", Duration.ofSeconds(20));
        world.cloud.lose(lost);
        world.gateway.request("chat", SECOND);
        world.pass(Duration.ofSeconds(10));
        assertThat(world.running()).hasSize(1).noneMatch(replica -> replica.id().equals(lost));
        assertThat(world.until(() -> chat.status().traffic().succeeded() == 2)).isTrue();
        assertThat(chat.status().traffic().failed()).isZero();
        assertThat(spotServes(chat)).isTrue();
        assertThat(world.running().get(0).pool()).doesNotContain("local-1a");
    }

    @Test
    void anInterruptedReplicaIsDrainedAndReplacedBeforeItIsTaken() {
        Deployment chat = deploy(Simulation.chat().build());
        assertThat(spotServes(chat)).isTrue();
        world.gateway.request("chat", Duration.ofSeconds(30));
        world.cloud.interrupt(world.running().get(0).id(), Duration.ofMinutes(2));
        world.pass(Duration.ofSeconds(12));
        assertThat(world.happened(Kind.INTERRUPTION_NOTICE)).isTrue();
        assertThat(world.gateway.route("chat").replicas()).allMatch(replica -> replica.draining());
        assertThat(world.running()).hasSize(2);
        world.pass(Duration.ofSeconds(110));
        assertThat(world.running()).hasSize(1);
        assertThat(chat.status().traffic().succeeded()).isEqualTo(1);
        assertThat(chat.status().traffic().failedOver()).isZero();
    }

    @Test
    void aFleetOfOneHasASuccessorOnItsWayBeforeItsReplicaIsTaken() {
        ScalingPolicy one = ScalingPolicy.DEFAULT.withSpot(
                ScalingPolicy.Spot.builder().maxReplicas(1).build());
        Deployment chat = deploy(Simulation.chat().scaling(one).build());
        assertThat(spotServes(chat)).isTrue();
        world.gateway.request("chat", Duration.ofSeconds(60));
        world.cloud.interrupt(world.running().get(0).id(), Duration.ofMinutes(2));
        world.pass(Duration.ofSeconds(12));
        assertThat(world.running())
                .as("the one that is taken and the one in its stead")
                .hasSize(2);
        world.pass(Duration.ofMinutes(2));
        assertThat(world.running()).hasSize(1);
        assertThat(chat.status().traffic().succeeded()).isEqualTo(1);
        world.traffic("chat", Duration.ofMinutes(10), Duration.ofSeconds(10), SECOND);
        assertThat(world.running()).hasSize(1);
        assertThat(chat.status().spotState()).isEqualTo(SpotState.READY);
    }

    @Test
    void aNoticeByAClockThatIsBehindDoesNotBreakOffWhatIsInFlight() {
        Deployment chat = deploy(Simulation.chat().build());
        assertThat(spotServes(chat)).isTrue();
        world.time.jump(Duration.ofHours(5));
        world.gateway.request("chat", Duration.ofSeconds(60));
        world.cloud.interrupt(world.running().get(0).id(), Duration.ofMinutes(2));
        world.pass(Duration.ofSeconds(100));
        assertThat(world.happened(Kind.INTERRUPTION_NOTICE)).isTrue();
        assertThat(world.running()).as("the one in its stead").hasSize(1);
        assertThat(chat.status().traffic().succeeded()).isEqualTo(1);
        assertThat(chat.status().traffic().failedOver()).isZero();
    }

    @Test
    void scalesToZeroWithoutTrafficAndUpAgainAtTheFirstRequest() {
        Deployment chat = deploy(Simulation.chat().build());
        assertThat(spotServes(chat)).isTrue();
        assertThat(world.until(() -> world.running().isEmpty())).isTrue();
        assertThat(chat.status().spotState()).isEqualTo(SpotState.COLD);
        world.gateway.request("chat", SECOND);
        world.pass(Duration.ofSeconds(3));
        assertThat(world.running()).hasSize(1);
        assertThat(world.until(() -> chat.status().traffic().succeeded() == 1)).isTrue();
    }

    @Test
    void growsWithTheRateAndNeverBeyondTheMaximum() {
        ScalingPolicy policy = ScalingPolicy.DEFAULT.withSpot(
                ScalingPolicy.Spot.builder().targetQps(0.5).maxReplicas(3).build());
        Deployment chat = deploy(Simulation.chat().scaling(policy).build());
        assertThat(spotServes(chat)).isTrue();
        world.traffic("chat", Duration.ofMinutes(10), Duration.ofMillis(250), SECOND);
        assertThat(world.running()).hasSize(3);
        world.traffic("chat", Duration.ofMinutes(15), Duration.ofSeconds(3), SECOND);
        assertThat(world.running()).hasSize(1);
        assertThat(chat.status().traffic().failed()).isZero();
    }

    @Test
    void destroyLeavesNothingAndTellsTheBill() {
        Deployment chat = deploy(Simulation.chat().build());
        assertThat(spotServes(chat)).isTrue();
        world.gateway.request("chat", Duration.ofSeconds(20));
        CompletableFuture<DestroyReport> destroyed = chat.destroy();
        world.pass(Duration.ofSeconds(5));
        assertThat(chat.status().phase()).isEqualTo(DeploymentPhase.DESTROYING);
        assertThat(world.running()).as("a request is still in flight").hasSize(1);
        assertThat(world.gateway.route("chat").policy().waitingRoom()).isZero();
        assertThat(world.until(destroyed::isDone)).isTrue();

        assertThat(chat.status().traffic().succeeded()).isEqualTo(1);
        assertThat(world.cloud.snapshot().empty()).isTrue();
        assertThat(world.gateway.has("chat")).isFalse();
        assertThat(world.secrets.refs()).noneMatch(ref -> ref.name().startsWith("deployments/"));
        DestroyReport report = destroyed.join();
        assertThat(report.removed()).hasSize(2);
        assertThat(report.cost().total()).isCloseTo(cloudTotal(), ROUNDING);
        assertThat(chat.status().phase()).isEqualTo(DeploymentPhase.DESTROYED);
        assertThat(world.tuna.deployments()).isEmpty();
        assertThat(world.tuna.status("chat").phase()).isEqualTo(DeploymentPhase.DESTROYED);
        assertThat(world.tuna.cost("chat").total()).isCloseTo(cloudTotal(), ROUNDING);
        assertThat(world.tuna.orphans().found()).isEmpty();
        assertThat(world.store.load().resources()).isEmpty();
    }

    private BigDecimal cloudTotal() {
        BigDecimal replicas = world.cloud.snapshot().replicas().stream()
                .map(replica -> replica.usd())
                .reduce(BigDecimal.ZERO, BigDecimal::add);
        return world.cloud.snapshot().endpoints().stream()
                .map(endpoint -> endpoint.usd())
                .reduce(replicas, BigDecimal::add);
    }

    @Test
    void destroyGoesOnUntilTheCloudGivesIn() {
        Deployment chat = deploy(Simulation.chat().build());
        assertThat(spotServes(chat)).isTrue();
        world.cloud.faults(FaultScript.onEvery(Operation.TERMINATE, CallFault.status(500))
                .and(FaultScript.onEvery(Operation.DELETE_ENDPOINT, CallFault.timeout())));
        CompletableFuture<DestroyReport> destroyed = chat.destroy();
        world.pass(Duration.ofMinutes(20));
        assertThat(destroyed).isNotDone();
        assertThat(chat.status().phase()).isEqualTo(DeploymentPhase.DESTROYING);
        assertThat(chat.status().problems()).hasSize(2);
        world.cloud.faults(FaultScript.NONE);
        assertThat(world.until(destroyed::isDone)).isTrue();
        assertThat(world.cloud.snapshot().empty()).isTrue();
    }

    @Test
    void aLostAnswerToALaunchMakesNoSecondReplica() {
        world.cloud.faults(FaultScript.onCall(Operation.LAUNCH, 1, CallFault.lostAnswer()));
        Deployment chat = deploy(Simulation.chat().build());
        assertThat(spotServes(chat)).isTrue();
        assertThat(world.cloud.snapshot().replicas()).hasSize(1);
    }

    @Test
    void anotherProviderIsTriedWhenTheFirstOneRefuses() {
        world.cloud.faults(call -> call.provider().equals("local") && call.operation() == Operation.PUT_ENDPOINT
                ? Optional.of(CallFault.status(403))
                : Optional.empty());
        Tuna tuna = Tuna.builder()
                .store(world.store)
                .secrets(world.secrets)
                .clock(world.time)
                .ticker(world.time.ticker())
                .scheduler(world.time.newScheduler())
                .executor(Runnable::run)
                .provider(world.cloud.serverless())
                .provider(world.cloud.serverless("other"))
                .provider(world.cloud.spot())
                .classLoader(ClassLoader.getPlatformClassLoader())
                .gateway(listener ->
                        world.gateway = new ScriptedGateway(world.time, world.cloud, world::isAlive, listener))
                .prober((backend, model, limit) -> CompletableFuture.completedFuture(Optional.empty()))
                .start();
        world.tuna = tuna;
        Deployment chat = tuna.deploy(Simulation.chat().build());
        assertThat(world.until(() -> chat.ready().isDone())).isTrue();
        assertThat(chat.status().backends())
                .extracting(BackendStatus::provider)
                .contains("other")
                .doesNotContain("local");
        assertThat(chat.status().problems()).anyMatch(problem -> problem.contains("local"));
    }

    /** Each kind of call hangs more often than there are threads for one cloud. */
    @Test
    void callsThatNeverReturnAreInterruptedAndHoldUpNoLaterOnes() {
        world.time.letTasksHang();
        world.stepwise = true;
        world.cloud.faults(call -> call.nth() <= 5 ? Optional.of(CallFault.neverReturns(false)) : Optional.empty());
        Deployment chat = deploy(Simulation.chat()
                .serverlessProviders("local")
                .noScaleToZero(true)
                .build());
        assertThat(world.until(chat.ready()::isDone)).isTrue();
        assertThat(spotServes(chat)).isTrue();
        assertThat(world.until(chat.destroy()::isDone)).isTrue();
        assertThat(world.cloud.snapshot().empty()).isTrue();
    }

    /** The replicas are gone before their calls are overdue, so nobody waits for these any more. */
    @Test
    void callsThatNeverReturnThoughTheyActHoldUpNoLaterOnes() {
        world.time.letTasksHang();
        world.stepwise = true;
        world.cloud.faults(call -> call.operation() == Operation.TERMINATE && call.nth() <= 5
                ? Optional.of(CallFault.neverReturns(true))
                : Optional.empty());
        Deployment chat = deploy(Simulation.chat().serverlessProviders("local").build());
        for (int i = 0; i < 6; i++) {
            world.gateway.request("chat", SECOND);
            assertThat(spotServes(chat)).isTrue();
            assertThat(world.until(() -> world.running().isEmpty())).isTrue();
        }
        assertThat(world.cloud.callCount(Operation.TERMINATE)).isEqualTo(6);
    }

    /** An executor with one thread would wait for itself. */
    @Test
    void noThreadIsHeldWhilePricesAreAskedFor() {
        world.stepwise = true;
        Deployment chat = deploy(Simulation.chat().build());
        assertThat(world.until(chat.ready()::isDone)).isTrue();
        assertThat(chat.status().backends()).extracting(BackendStatus::provider).contains("local");
    }

    @Test
    void failsWithEveryReasonWhenNobodyCanServe() {
        world.cloud.faults(FaultScript.onEvery(Operation.PUT_ENDPOINT, CallFault.status(403)));
        Deployment chat = deploy(Simulation.chat().serverlessOnly(true).build());
        assertThat(world.until(() -> chat.status().phase() == DeploymentPhase.FAILED))
                .isTrue();
        assertThat(chat.ready()).isCompletedExceptionally();
        assertThat(chat.status().problems()).singleElement().asString().contains("local", "403");
        assertThat(world.gateway.has("chat")).isFalse();
        assertThat(world.tuna.history(10)).hasSize(1);
        world.cloud.faults(FaultScript.NONE);
        assertThat(world.tuna.deploy(Simulation.chat().build()).name()).isEqualTo("chat");
    }

    @Test
    void aDeploymentOutlivesCloudsThatDoNotAnswerAtFirst() {
        for (CallFault fault : List.of(CallFault.status(500), CallFault.timeout())) {
            world.cloud.faults(FaultScript.onEvery(Operation.READ_PRICES, fault)
                    .and(FaultScript.onEvery(Operation.READ_POOLS, fault)));
            Deployment chat = deploy(Simulation.chat().build());
            world.pass(Duration.ofMinutes(2));
            assertThat(chat.status().phase()).isEqualTo(DeploymentPhase.ACTIVE);
            assertThat(chat.status().problems()).hasSize(2);
            world.cloud.faults(FaultScript.NONE);
            assertThat(spotServes(chat)).isTrue();
            assertThat(world.until(() ->
                            chat.ready().isDone() && chat.status().problems().isEmpty()))
                    .isTrue();
            assertThat(chat.status().backends()).extracting(BackendStatus::tier).contains(Tier.SERVERLESS);
            assertThat(world.until(chat.destroy()::isDone)).isTrue();
        }
    }

    @Test
    void cloudsThatDoNotAnswerAreAskedWithGrowingPauses() {
        world.cloud.faults(FaultScript.onEvery(Operation.READ_PRICES, CallFault.status(500))
                .and(FaultScript.onEvery(Operation.READ_POOLS, CallFault.status(500))));
        Deployment chat = deploy(Simulation.chat().serverlessProviders("local").build());
        world.pass(Duration.ofHours(1));
        assertThat(chat.status().phase()).isEqualTo(DeploymentPhase.ACTIVE);
        assertThat(world.cloud.callCount(Operation.READ_PRICES)).isBetween(10L, 25L);
        assertThat(world.cloud.callCount(Operation.READ_POOLS)).isBetween(10L, 25L);
    }

    @Test
    void aRefusalFailsADeploymentThatWasPatientSoFar() {
        world.cloud.faults(FaultScript.onEvery(Operation.READ_PRICES, CallFault.status(500)));
        Deployment chat = deploy(Simulation.chat().serverlessOnly(true).build());
        world.pass(Duration.ofMinutes(1));
        assertThat(chat.status().phase()).isEqualTo(DeploymentPhase.ACTIVE);
        world.cloud.faults(FaultScript.onEvery(Operation.READ_PRICES, CallFault.status(403)));
        assertThat(world.until(() -> chat.status().phase() == DeploymentPhase.FAILED))
                .isTrue();
        assertThat(chat.status().problems()).singleElement().asString().contains("403");
    }

    @Test
    void whenSpotHasRunDryServerlessGoesOnAndSpotIsTriedAgainWithPauses() {
        world.cloud.setCapacity("local-1a/l4-1/SPOT", 0);
        world.cloud.setCapacity("local-1b/l4-1/SPOT", 0);
        Deployment chat = deploy(spot(ScalingPolicy.Spot.builder().onDemand(ScalingPolicy.Spot.OnDemand.NEVER)));
        world.traffic("chat", Duration.ofHours(1), Duration.ofSeconds(10), SECOND);
        assertThat(chat.status().traffic().byTier()).containsOnlyKeys(Tier.SERVERLESS);
        assertThat(chat.status().problems()).anyMatch(problem -> problem.contains("no replica can be rented"));
        assertThat(world.cloud.callCount(Operation.LAUNCH)).isBetween(5L, 30L);
        world.cloud.setCapacity("local-1b/l4-1/SPOT", 1);
        world.traffic("chat", Duration.ofMinutes(20), Duration.ofSeconds(10), SECOND);
        assertThat(chat.status().spotState()).isEqualTo(SpotState.READY);
        assertThat(chat.status().problems()).isEmpty();
    }

    private static DeployRequest spot(ScalingPolicy.Spot.Builder policy) {
        return Simulation.chat()
                .scaling(ScalingPolicy.DEFAULT.withSpot(policy.build()))
                .build();
    }

    @Test
    @DisplayName("T-02: machines at list price stand in where they are cheaper than serverless, until spot is back")
    void whereSpotHasRunDryListPriceStandsInWhileItIsCheaperAndNoLonger() {
        world.cloud.setCapacity("local-1a/l4-1/SPOT", 0);
        world.cloud.setCapacity("local-1b/l4-1/SPOT", 0);
        Deployment chat = deploy(Simulation.chat().build());
        world.traffic("chat", Duration.ofHours(1), Duration.ofSeconds(10), SECOND);
        assertThat(chat.status().traffic().byTier()).containsOnlyKeys(Tier.SERVERLESS, Tier.ON_DEMAND);
        world.cloud.setCapacity("local-1b/l4-1/SPOT", 1);
        world.traffic("chat", Duration.ofMinutes(30), Duration.ofSeconds(10), SECOND);
        assertThat(world.running())
                .singleElement()
                .satisfies(replica -> assertThat(replica.pool()).endsWith("SPOT"));
        assertThat(chat.status().traffic().failed()).isZero();
    }

    @Test
    void replicasThatNeverComeUpDoNotBurnMoneyForEver() {
        world.cloud.failBoots("local-1a/l4-1/SPOT", 1000);
        world.cloud.failBoots("local-1b/l4-1/SPOT", 1000);
        Deployment chat = deploy(Simulation.chat().build());
        world.traffic("chat", Duration.ofHours(2), Duration.ofSeconds(10), SECOND);
        assertThat(world.cloud.callCount(Operation.LAUNCH)).isBetween(5L, 9L);
        assertThat(chat.status().problems()).anyMatch(problem -> problem.contains("launching rests"));
        assertThat(chat.status().traffic().failed()).isZero();
    }

    @Test
    void aRestartAdoptsWhatRunsAndTheBooksGoOn() {
        Deployment chat = deploy(Simulation.chat().build());
        assertThat(spotServes(chat)).isTrue();
        world.traffic("chat", Duration.ofMinutes(10), Duration.ofSeconds(5), SECOND);
        String key = chat.apiKey().orElseThrow().reveal();
        world.restart();
        Deployment again = world.tuna.deployment("chat").orElseThrow();
        assertThat(world.happened(Kind.ADOPTED)).isTrue();
        assertThat(again.apiKey().orElseThrow().reveal()).isEqualTo(key);
        assertThat(again.status().traffic().succeeded()).isGreaterThanOrEqualTo(119);
        world.pass(Duration.ofSeconds(5));
        assertThat(again.status().spotState()).isEqualTo(SpotState.READY);
        assertThat(world.cloud.callCount(Operation.LAUNCH)).isEqualTo(1);
        world.traffic("chat", Duration.ofMinutes(1), Duration.ofSeconds(5), SECOND);
        assertThat(world.until(again.destroy()::isDone)).isTrue();
        assertThat(world.cloud.snapshot().empty()).isTrue();
        assertThat(world.tuna.cost("chat").total()).isCloseTo(cloudTotal(), ROUNDING);
    }

    @Test
    void aDeploymentThatWasBeingDestroyedIsDestroyedByTheNextProcess() {
        Deployment chat = deploy(Simulation.chat().build());
        assertThat(spotServes(chat)).isTrue();
        world.cloud.faults(FaultScript.onEvery(Operation.TERMINATE, CallFault.status(500)));
        var unused = chat.destroy();
        world.pass(Duration.ofMinutes(1));
        world.cloud.faults(FaultScript.NONE);
        world.restart();
        Deployment again = world.tuna.deployment("chat").orElseThrow();
        assertThat(again.status().phase()).isEqualTo(DeploymentPhase.DESTROYING);
        assertThat(world.until(() -> world.tuna.deployments().isEmpty())).isTrue();
        assertThat(world.cloud.snapshot().empty()).isTrue();
        assertThat(world.tuna.status("chat").phase()).isEqualTo(DeploymentPhase.DESTROYED);
    }

    @Test
    void whoAsksAnAdoptedDeploymentIsToldThatItIsReady() {
        Deployment chat = deploy(Simulation.chat().build());
        assertThat(spotServes(chat)).isTrue();
        world.restart();
        Deployment again = world.tuna.deployment("chat").orElseThrow();
        assertThat(world.until(again.ready()::isDone)).isTrue();
        assertThat(again.ready())
                .isCompletedWithValueMatching(ready -> ready.name().equals("chat"));
    }

    @Test
    void aRefusalAfterALostAnswerDoesNotProveThatNothingWasMade() {
        world.cloud.faults(FaultScript.onCall(Operation.LAUNCH, 1, CallFault.lostAnswer())
                .and(FaultScript.onCall(Operation.LAUNCH, 2, CallFault.status(403)))
                .and(FaultScript.onCall(Operation.PUT_ENDPOINT, 1, CallFault.lostAnswer()))
                .and(FaultScript.onCall(Operation.PUT_ENDPOINT, 2, CallFault.status(403))));
        Deployment chat = deploy(Simulation.chat().build());
        world.traffic("chat", Duration.ofMinutes(40), Duration.ofSeconds(30), SECOND);
        assertThat(chat.status().spotState()).isEqualTo(SpotState.READY);
        assertThat(world.running()).hasSize(1);
        assertThat(world.tuna.orphans().found()).isEmpty();
        assertThat(world.until(chat.destroy()::isDone)).isTrue();
        assertThat(world.cloud.snapshot().empty()).isTrue();
    }

    @Test
    void anEndpointThatWasNeverMadeIsNotBilledForAnEarlierOneOfItsName() {
        Deployment first = deploy(
                Simulation.chat().noScaleToZero(true).serverlessOnly(true).build());
        world.pass(Duration.ofHours(5));
        assertThat(world.until(first.destroy()::isDone)).isTrue();
        Duration metered = meteredTime(world);
        assertThat(metered).isGreaterThan(Duration.ofHours(4));
        world.cloud.faults(FaultScript.onCall(Operation.PUT_ENDPOINT, 2, CallFault.timeout())
                .and(FaultScript.onCall(Operation.PUT_ENDPOINT, 3, CallFault.status(403))));
        Deployment second =
                world.tuna.deploy(Simulation.chat().serverlessOnly(true).build());
        assertThat(world.until(second.ready()::isDone)).isTrue();
        assertThat(billedTime(second.cost())).isZero();
        assertThat(meteredTime(world)).isEqualTo(metered);
    }

    @Test
    void anEndpointThatWasNeverMadeIsNotBilledForAShortLivedOneOfItsNameThatAlwaysRan() {
        Deployment first = deploy(
                Simulation.chat().noScaleToZero(true).serverlessOnly(true).build());
        world.pass(Duration.ofMinutes(1));
        assertThat(world.until(first.destroy()::isDone)).isTrue();
        assertThat(meteredTime(world)).isPositive();
        world.time.letTasksHang();
        world.cloud.faults(FaultScript.onCall(Operation.PUT_ENDPOINT, 2, CallFault.neverReturns(false))
                .and(FaultScript.onCall(Operation.PUT_ENDPOINT, 3, CallFault.status(403))));
        Deployment second = world.tuna.deploy(
                Simulation.chat().noScaleToZero(true).serverlessOnly(true).build());
        assertThat(world.until(second.ready()::isDone)).isTrue();
        assertThat(world.until(second.destroy()::isDone)).isTrue();
        assertThat(billedTime(first.cost()).plus(billedTime(second.cost()))).isEqualTo(meteredTime(world));
    }

    @Test
    void theBillIsAtThePricesOfTheUsersOwn() {
        world.prices = List.of(
                Price.ofContainer("local", "l4", 1, BigDecimal.valueOf(36)),
                Price.ofMachine("local-spot", Tier.SPOT, "l4-1", BigDecimal.valueOf(72)));
        Deployment chat = world.serving();
        world.pass(Duration.ofMinutes(1));
        assertThat(world.until(chat.destroy()::isDone)).isTrue();

        assertThat(chat.cost().lines())
                .hasSize(2)
                .allSatisfy(line -> assertThat(line.usd().orElseThrow())
                        .isCloseTo(
                                BigDecimal.valueOf(line.billed().toMillis())
                                        .movePointLeft(5)
                                        .multiply(BigDecimal.valueOf(line.tier() == Tier.SPOT ? 2 : 1)),
                                ROUNDING));
    }

    @Test
    void anEndpointThatWasNeverMadeIsNotBilledForWhatAlwaysRuns() {
        world.time.letTasksHang();
        world.cloud.faults(FaultScript.onCall(Operation.PUT_ENDPOINT, 1, CallFault.neverReturns(false))
                .and(FaultScript.onCall(Operation.PUT_ENDPOINT, 2, CallFault.status(403))));
        Deployment chat = deploy(
                Simulation.chat().noScaleToZero(true).serverlessOnly(true).build());
        assertThat(world.until(chat.ready()::isDone)).isTrue();
        assertThat(world.until(chat.destroy()::isDone)).isTrue();
        assertThat(meteredTime(world)).isZero();
        assertThat(billedTime(chat.cost())).isZero();
    }

    @Test
    void aPriceThatIsSeenOnlyAfterTheEndBillsNothingBeyondIt() {
        Deployment chat = deploy(Simulation.chat().build());
        assertThat(spotServes(chat)).isTrue();
        world.tuna.close();
        world.pass(Duration.ofMinutes(10));
        world.cloud.setPrice("local-1a/l4-1/SPOT", new BigDecimal("0.50"));
        world.pass(Duration.ofMinutes(20));
        assertThat(world.running()).as("has heard from no controller").isEmpty();
        world.restart();
        assertThat(world.until(world.tuna.destroy("chat")::isDone)).isTrue();
        assertThat(billedTime(world.tuna.cost("chat"))).isEqualTo(meteredTime(world));
    }

    @Test
    void aNamedProviderThatFailedItsCheckIsUsedWhenItPassesAndTheProblemIsOver() {
        var other = SimulatedCloud.on(world.time, CloudSettings.DEFAULT, "other");
        world.others.add(other.serverless("other"));
        other.faults(FaultScript.onEvery(Operation.READ_PRICES, CallFault.timeout()));
        Deployment chat =
                deploy(Simulation.chat().serverlessProviders("local", "other").build());
        world.pass(Duration.ofMinutes(10));
        assertThat(chat.status().problems()).anyMatch(problem -> problem.startsWith("not used: other"));
        other.faults(FaultScript.NONE);
        world.pass(Duration.ofMinutes(30));
        assertThat(chat.status().backends()).extracting(BackendStatus::provider).contains("local", "other");
        assertThat(chat.status().problems()).isEmpty();
    }

    @Test
    void aReplicaThatDidNotComeUpIsNoProblemOnceEnoughServe() {
        Deployment chat = deploy(Simulation.chat()
                .scaling(ScalingPolicy.DEFAULT.withSpot(ScalingPolicy.Spot.builder()
                        .minReplicas(1)
                        .targetQps(0.5)
                        .maxReplicas(2)
                        .build()))
                .build());
        assertThat(spotServes(chat)).isTrue();
        world.cloud.failBoots("local-1a/l4-1/SPOT", 100);
        world.cloud.failBoots("local-1b/l4-1/SPOT", 100);
        world.traffic("chat", Duration.ofMinutes(10), SECOND, SECOND);
        assertThat(chat.status().problems()).anyMatch(problem -> problem.contains("failed to come up"));
        world.pass(Duration.ofMinutes(30));
        assertThat(chat.status().problems()).isEmpty();
    }

    @Test
    void namesAndModelsAreUniqueAmongLiveDeployments() {
        deploy(Simulation.chat().build());
        assertThatThrownBy(() -> world.tuna.deploy(DeployRequest.builder("other/model", "L4")
                        .serviceName("chat")
                        .build()))
                .isInstanceOfSatisfying(
                        ConfigurationException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.NAME_TAKEN))
                .hasMessageContaining("'chat'");
        assertThatThrownBy(() -> world.tuna.deploy(
                        Simulation.chat().serviceName("chat-2").build()))
                .hasMessageContaining("Qwen/Qwen3-0.6B")
                .hasMessageContaining("'chat'");
        assertThat(world.tuna.deployments()).hasSize(1);
    }

    @Test
    void whatCannotBeHadIsRefusedBeforeAnythingIsMade() {
        Tuna tuna = world.start();
        assertThatThrownBy(() -> tuna.deploy(Simulation.chat()
                        .routerPlacement(RouterPlacement.SEPARATE_VM)
                        .build()))
                .hasMessageContaining("SEPARATE_VM");
        assertThatThrownBy(
                        () -> tuna.deploy(DeployRequest.builder("m", "RTX9999").build()))
                .hasMessageContaining("RTX9999");
        assertThatThrownBy(() -> tuna.deploy(
                        Simulation.chat().serverlessProviders("modal").build()))
                .hasMessageContaining("tuna-provider-modal");
        assertThatThrownBy(() -> tuna.deploy(Simulation.chat().spotCloud("aws").build()))
                .hasMessageContaining("tuna-spot-aws");
        assertThatThrownBy(() -> tuna.status("nobody")).hasMessageContaining("nobody");
        assertThat(tuna.deployments()).isEmpty();
        assertThat(world.cloud.snapshot().endpoints()).isEmpty();
    }

    @Test
    void aPlanSaysWhatWouldBeSentAndMakesNothing() {
        Tuna tuna = world.start();
        var plan = tuna.plan(Simulation.chat().build());
        assertThat(plan.steps()).extracting(step -> step.tier()).containsExactly(Tier.SERVERLESS, Tier.SPOT);
        assertThat(plan.steps())
                .allMatch(step -> !step.body().isBlank() && !step.summary().isBlank());
        assertThat(world.cloud.snapshot().endpoints()).isEmpty();
        assertThat(tuna.deployments()).isEmpty();
        assertThat(tuna.check("local", Map.of()).passed()).isTrue();
        assertThat(tuna.gpus(GpuQuery.gpu("l4"))).isNotEmpty();
    }

    @Test
    void noScaleToZeroKeepsAReplicaAndAWorker() {
        Deployment chat = deploy(Simulation.chat().noScaleToZero(true).build());
        world.pass(Duration.ofHours(3));
        assertThat(world.running()).hasSize(1);
        assertThat(world.cloud.snapshot().endpoints().get(0).containers()).hasSize(1);
        assertThat(chat.status().spotState()).isEqualTo(SpotState.READY);
    }

    @Test
    void serverlessOnlyRentsNothing() {
        Deployment chat =
                deploy(Simulation.chat().serverlessOnly(true).publicAccess(true).build());
        world.traffic("chat", Duration.ofMinutes(30), Duration.ofSeconds(5), SECOND);
        assertThat(world.cloud.snapshot().replicas()).isEmpty();
        assertThat(chat.apiKey()).isEmpty();
        assertThat(world.gateway.route("chat").publicAccess()).isTrue();
        assertThat(chat.status().traffic().succeeded()).isGreaterThan(350);
    }

    @Test
    void aClockThatJumpsNeitherKillsReplicasNorMakesTheBillNegative() {
        Deployment chat = deploy(Simulation.chat().build());
        world.pass(Duration.ofMinutes(1));
        world.time.jump(Duration.ofHours(5));
        world.pass(Duration.ofMinutes(1));
        world.time.jump(Duration.ofHours(-9));
        assertThat(spotServes(chat)).isTrue();
        world.traffic("chat", Duration.ofMinutes(10), Duration.ofSeconds(5), SECOND);
        assertThat(world.cloud.callCount(Operation.LAUNCH)).isEqualTo(1);
        assertThat(chat.cost().lines()).allMatch(line -> !line.billed().isNegative());
        assertThat(world.until(chat.destroy()::isDone)).isTrue();
        assertThat(world.cloud.snapshot().empty()).isTrue();
    }

    @Test
    void anUnwritableStoreHoldsBackWhatWouldBeMadeOutside() {
        // Nothing may exist outside that the store does not know of.
        world.start();
        world.store.close();
        assertThatThrownBy(() -> world.tuna.deploy(Simulation.chat().build())).isInstanceOf(StoreException.class);
        assertThat(world.cloud.snapshot().endpoints()).isEmpty();
        assertThat(world.tuna.deployments()).isEmpty();
        world.store = world.store.reopen();
    }

    @Test
    void aListenerThatThrowsHarmsNobody() {
        Tuna tuna = world.start();
        ControlPlane.Subscription subscription = tuna.events(event -> {
            throw new IllegalStateException("listener");
        });
        Deployment chat = tuna.deploy(Simulation.chat().build());
        assertThat(spotServes(chat)).isTrue();
        subscription.close();
        assertThat(world.happened(Kind.READY)).isTrue();
    }

    @Test
    void aCrashBetweenAnyTwoStepsOfADeployLosesNothing() {
        for (int steps = 0; steps < 60; steps++) {
            crashAfter(steps, false);
        }
    }

    @Test
    void aCrashBetweenAnyTwoStepsOfADestroyLosesNothing() {
        for (int steps = 0; steps < 40; steps++) {
            crashAfter(steps, true);
        }
    }

    private static void crashAfter(int steps, boolean destroying) {
        try (var world = new Simulation(Simulation.rememberingAll())) {
            world.stepwise = true;
            Deployment chat = world.start()
                    .deploy(Simulation.chat().serverlessProviders("local").build());
            if (destroying) {
                assertThat(world.until(() -> chat.status().spotState() == SpotState.READY))
                        .isTrue();
                var first = chat.destroy();
                assertThat(first).isNotDone();
            }
            var left = new AtomicInteger(steps);
            world.time.runUntil(() -> left.getAndDecrement() == 0, Duration.ofMinutes(10));
            Optional<Deployment> again = world.crash().deployment("chat");
            if (!destroying) {
                assertThat(world.until(() -> again.orElseThrow().status().spotState() == SpotState.READY))
                        .as("serves after a crash at step %s", steps)
                        .isTrue();
                assertThat(world.cloud.snapshot().replicas()).hasSize(1);
                assertThat(world.cloud.snapshot().endpoints()).hasSize(1);
            }
            // Also where the first call was lost before it was on disk: whoever made it has had no answer.
            var unused = again.map(Deployment::destroy);
            assertThat(world.until(() -> world.tuna.deployments().isEmpty()))
                    .as("destroyed after a crash at step %s", steps)
                    .isTrue();
            assertThat(world.cloud.snapshot().empty()).isTrue();
            assertThat(world.tuna.orphans().found()).isEmpty();
            assertThat(world.store.load().resources()).isEmpty();
            assertThat(billedTime(world.tuna.cost("chat")))
                    .as("bill after a crash at step %s", steps)
                    .isEqualTo(meteredTime(world));
            assertThat(world.secrets.refs()).noneMatch(ref -> ref.name().startsWith("deployments/"));
        }
    }

    @Test
    void threeDaysWithPreemptionsEndWithTheRightBillAndNothingLeft() {
        daysWithPreemptions(3);
    }

    @Test
    @Tag("full")
    void thirtyDaysWithPreemptionsEndWithTheRightBillAndNothingLeft() {
        daysWithPreemptions(30);
    }

    private static void daysWithPreemptions(int days) {
        try (var month = new Simulation(Simulation.rememberingAll())) {
            month.timings = ControlTimings.DEFAULT.toBuilder()
                    .observeInterval(Duration.ofSeconds(30))
                    .build();
            var random = new Random(7);
            Deployment chat = month.start().deploy(Simulation.chat().build());
            for (int hour = 0; hour < days * 24; hour++) {
                boolean busy = hour % 24 >= 8 && hour % 24 < 20;
                if (busy) {
                    month.traffic("chat", Duration.ofHours(1), Duration.ofSeconds(60), Duration.ofSeconds(20));
                } else {
                    month.pass(Duration.ofHours(1));
                }
                if (!month.running().isEmpty() && random.nextInt(3) == 0) {
                    takeAway(month, random.nextBoolean());
                }
                assertThat(month.running()).hasSizeLessThanOrEqualTo(5);
            }
            assertThat(month.until(() -> chat.status().traffic().inFlight() == 0))
                    .isTrue();
            assertThat(chat.status().traffic().requests()).isEqualTo(12L * 60 * days);
            assertThat(chat.status().traffic().succeeded()).isEqualTo(12L * 60 * days);
            assertThat(month.until(chat.destroy()::isDone)).isTrue();
            assertThat(month.cloud.snapshot().empty()).isTrue();
            assertThat(month.cloud.snapshot().replicas()).hasSizeGreaterThan(2 * days);
            assertThat(billedTime(chat.cost())).isEqualTo(meteredTime(month));
        }
    }

    private static void takeAway(Simulation month, boolean withNotice) {
        String replica = month.running().get(0).id();
        if (withNotice) {
            month.cloud.interrupt(replica, Duration.ofMinutes(2));
        } else {
            month.cloud.lose(replica);
        }
    }

    private static Duration billedTime(CostReport cost) {
        return cost.lines().stream().map(CostReport.Line::billed).reduce(Duration.ZERO, Duration::plus);
    }

    private static Duration meteredTime(Simulation month) {
        Duration replicas = month.cloud.snapshot().replicas().stream()
                .map(replica -> replica.billed())
                .reduce(Duration.ZERO, Duration::plus);
        return month.cloud.snapshot().endpoints().stream()
                .map(endpoint -> endpoint.containerTime())
                .reduce(replicas, Duration::plus);
    }
}
