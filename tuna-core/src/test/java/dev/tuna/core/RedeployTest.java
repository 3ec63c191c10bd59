package dev.tuna.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.Budget;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.CostReport;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent.Kind;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DeploymentStatus.BackendStatus;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.RollReport;
import dev.tuna.api.RollReport.Outcome;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SpotState;
import dev.tuna.router.RouteBackend;
import dev.tuna.testkit.cloud.simulated.CallFault;
import dev.tuna.testkit.cloud.simulated.CloudCall.Operation;
import dev.tuna.testkit.cloud.simulated.FaultScript;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A live deployment changes over to another request, on virtual time. */
class RedeployTest {

    private static final Duration SECOND = Duration.ofSeconds(1);

    private final Simulation world = new Simulation();

    @AfterEach
    void close() {
        world.close();
    }

    private static DeployRequest.Builder chat() {
        return Simulation.chat().serverlessProviders("local");
    }

    private static DeployRequest changed() {
        return chat().maxModelLen(8192).build();
    }

    private RollReport ended(Deployment chat) {
        CompletableFuture<RollReport> rolled = chat.rolled();
        assertThat(world.until(rolled::isDone)).isTrue();
        return rolled.join();
    }

    private boolean onlyOneRevisionIsLeft(Deployment chat) {
        return world.until(() -> chat.status().roll().isEmpty()
                && chat.status().backends().size() == 2
                && world.running().size() == 1);
    }

    @Test
    void theChangedRequestTakesOverWhenItServesAsMuchAndWhatWasBeforeIsRemoved() {
        Deployment chat = world.serving();
        String key = chat.apiKey().orElseThrow().reveal();

        assertThat(world.tuna.redeploy(changed()).name()).isEqualTo("chat");
        assertThat(chat.status().roll()).hasValueSatisfying(roll -> {
            assertThat(roll.revision()).isEqualTo(2);
            assertThat(roll.request()).isEqualTo(changed());
        });
        assertThat(chat.request().maxModelLen()).isEqualTo(4096);
        assertThat(chat.rolled()).isNotDone();
        world.pass(Duration.ofMinutes(2));
        // Its endpoint is up by now, and gets nothing: a fleet is not replaced by a container.
        assertThat(world.gateway.route("chat").serverless())
                .extracting(RouteBackend::id)
                .containsExactly("local");

        assertThat(ended(chat).outcome()).isEqualTo(Outcome.ROLLED);
        assertThat(chat.request()).isEqualTo(changed());
        assertThat(chat.apiKey().orElseThrow().reveal()).isEqualTo(key);
        assertThat(chat.endpoint()).hasToString("http://127.0.0.1:8080/v1");
        assertThat(onlyOneRevisionIsLeft(chat)).isTrue();
        assertThat(chat.status().backends())
                .extracting(BackendStatus::id)
                .containsExactlyInAnyOrder("r2-local", "r2-replica-1");
        assertThat(chat.status().problems()).isEmpty();
        assertThat(chat.status().phase()).isEqualTo(DeploymentPhase.ACTIVE);
        assertThat(world.happened(Kind.ROLL_STARTED)).isTrue();
        assertThat(world.happened(Kind.ROLLED)).isTrue();
        assertThat(world.happened(Kind.DESTROYING)).isFalse();
        assertThat(world.happened(Kind.DESTROYED)).isFalse();
        assertThat(world.tuna.history(10)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aBudgetThatIsChangedDuringARollHoldsAtOnceAndTheRollGoesOn(boolean fromTheSuccessor) {
        Deployment chat = world.serving();
        world.tuna.redeploy(changed());
        world.pass(SECOND);
        Budget budget = Budget.builder().usdPerDay(BigDecimal.TEN).build();
        DeployRequest from = fromTheSuccessor ? changed() : chat.request();

        world.tuna.redeploy(from.toBuilder().budget(budget).build());

        assertThat(chat.request().budget()).isEqualTo(budget);
        assertThat(chat.status().roll())
                .hasValueSatisfying(roll -> assertThat(roll.request())
                        .isEqualTo(changed().toBuilder().budget(budget).build()));
        assertThat(chat.cost().budgets()).hasSize(1);
        assertThat(ended(chat).outcome()).isEqualTo(Outcome.ROLLED);
        assertThat(chat.request())
                .isEqualTo(changed().toBuilder().budget(budget).build());
    }

    @Test
    void noRequestIsLostAndStreamsOfTheOldBackendsAreFinishedBeforeTheyGo() {
        Deployment chat = world.serving();
        world.tuna.redeploy(changed());
        world.traffic("chat", Duration.ofMinutes(4), SECOND, Duration.ofSeconds(3));
        while (!chat.rolled().isDone()) {
            world.gateway.request("chat", Duration.ofSeconds(100));
            world.pass(Duration.ofSeconds(1));
        }
        assertThat(world.gateway.route("chat").replicas())
                .anyMatch(backend -> backend.id().equals("replica-1") && backend.draining())
                .anyMatch(backend -> backend.id().equals("r2-replica-1") && !backend.draining());
        world.traffic("chat", Duration.ofMinutes(4), SECOND, Duration.ofSeconds(3));
        world.pass(Duration.ofMinutes(3));
        assertThat(chat.status().traffic().succeeded())
                .isEqualTo(chat.status().traffic().requests());
        assertThat(chat.status().traffic().failed()).isZero();
        assertThat(chat.status().traffic().failedOver()).isZero();
    }

    @Test
    void aLongAnswerIsFinishedByTheRevisionThatWasReplaced() {
        Deployment chat = longAnswerDuringARoll();
        world.pass(Duration.ofMinutes(15));
        assertThat(chat.status().backends()).extracting(BackendStatus::id).contains("replica-1");
        world.pass(Duration.ofMinutes(10));
        assertThat(chat.status().backends()).extracting(BackendStatus::id).doesNotContain("replica-1");
        assertThat(chat.status().traffic().succeeded()).isEqualTo(1);
        assertThat(chat.status().traffic().failed()).isZero();
    }

    @Test
    void destroyingDoesNotWaitForAnswersAsLongAsARollDoes() {
        Deployment chat = longAnswerDuringARoll();
        var destroyed = chat.destroy();
        world.pass(Duration.ofMinutes(4));
        assertThat(destroyed).isCompleted();
        assertNothingIsLeft(world);
    }

    private Deployment longAnswerDuringARoll() {
        Deployment chat = world.serving();
        world.tuna.redeploy(changed());
        world.gateway.request("chat", Duration.ofMinutes(25));
        assertThat(ended(chat).outcome()).isEqualTo(Outcome.ROLLED);
        return chat;
    }

    @Test
    void nobodyIsToldOfARollBeforeItIsOnDisk() {
        Deployment chat = world.serving();
        world.tuna.redeploy(changed());
        world.pass(Duration.ofMinutes(2));
        world.unwritable = true;
        assertThat(world.until(() -> world.gateway.route("chat").replicas().stream()
                        .anyMatch(backend -> backend.id().equals("r2-replica-1"))))
                .isTrue();
        world.pass(Duration.ofMinutes(1));
        assertThat(chat.rolled()).isNotDone();
        assertThat(world.happened(Kind.ROLLED)).isFalse();
        assertThat(world.running()).hasSize(2);
        world.unwritable = false;
        assertThat(ended(chat).outcome()).isEqualTo(Outcome.ROLLED);
        assertThat(world.happened(Kind.ROLLED)).isTrue();
        assertThat(onlyOneRevisionIsLeft(chat)).isTrue();
    }

    @Test
    void whatFirstServesThroughARollIsReady() {
        world.cloud.faults(call ->
                call.operation() == Operation.PUT_ENDPOINT && !call.target().contains("-r2")
                        ? Optional.of(CallFault.timeout())
                        : Optional.empty());
        Deployment chat = world.start().deploy(chat().serverlessOnly(true).build());
        world.pass(Duration.ofMinutes(1));
        world.tuna.redeploy(chat().serverlessOnly(true).maxModelLen(8192).build());
        assertThat(ended(chat).outcome()).isEqualTo(Outcome.ROLLED);
        assertThat(chat.ready()).isCompleted();
        assertThat(world.events.stream().filter(event -> event.kind() == Kind.READY))
                .hasSize(1);
    }

    @Test
    void withoutSpotTheChangedRequestTakesOverAsSoonAsItsEndpointAnswers() {
        Deployment chat = world.start().deploy(chat().serverlessOnly(true).build());
        assertThat(world.until(() -> chat.ready().isDone())).isTrue();
        world.tuna.redeploy(chat().serverlessOnly(true).maxModelLen(8192).build());
        assertThat(ended(chat).outcome()).isEqualTo(Outcome.ROLLED);
        world.gateway.request("chat", SECOND);
        assertThat(world.until(() -> chat.status().traffic().succeeded() == 1)).isTrue();
        assertThat(world.gateway.route("chat").serverless())
                .filteredOn(backend -> !backend.draining())
                .extracting(RouteBackend::id)
                .containsExactly("r2-local");
    }

    @Test
    void aChangeThatNobodyCanServeIsGivenUpAndWhatServedGoesOn() {
        Deployment chat = world.serving();
        world.cloud.faults(call ->
                call.operation() == Operation.PUT_ENDPOINT ? Optional.of(CallFault.status(403)) : Optional.empty());
        world.tuna.redeploy(chat().serverlessOnly(true).maxModelLen(8192).build());
        RollReport report = ended(chat);
        assertThat(report.outcome()).isEqualTo(Outcome.ABANDONED);
        assertThat(report.detail()).contains("revision 2", "local", "403");
        assertThat(world.happened(Kind.ROLL_ABANDONED)).isTrue();
        assertThat(world.happened(Kind.FAILED)).isFalse();
        assertThat(chat.status().phase()).isEqualTo(DeploymentPhase.ACTIVE);
        assertThat(chat.status().roll()).isEmpty();
        assertThat(chat.status().problems()).singleElement().asString().contains("revision 2", "403");
        assertThat(chat.request().maxModelLen()).isEqualTo(4096);
        assertThat(onlyOneRevisionIsLeft(chat)).isTrue();

        // The next change starts with a clean slate.
        world.cloud.faults(FaultScript.NONE);
        world.tuna.redeploy(changed());
        assertThat(chat.status().problems()).isEmpty();
        assertThat(ended(chat).outcome()).isEqualTo(Outcome.ROLLED);
    }

    @Test
    void aChangeThatDoesNotServeInTimeIsGivenUp() {
        Deployment chat = world.serving();
        world.cloud.failBoots("local-1a/l4-1/SPOT", 1000);
        world.cloud.failBoots("local-1b/l4-1/SPOT", 1000);
        world.cloud.faults(FaultScript.onEvery(Operation.PUT_ENDPOINT, CallFault.timeout()));
        world.tuna.redeploy(changed());
        world.pass(Duration.ofMinutes(29));
        assertThat(chat.rolled()).isNotDone();
        world.pass(Duration.ofMinutes(2));
        assertThat(chat.rolled()).isCompleted();
        assertThat(ended(chat).outcome()).isEqualTo(Outcome.ABANDONED);
        assertThat(ended(chat).detail()).contains("did not serve within 30m");
        world.cloud.faults(FaultScript.NONE);
        world.cloud.failBoots("local-1a/l4-1/SPOT", 0);
        world.cloud.failBoots("local-1b/l4-1/SPOT", 0);
        assertThat(world.until(() -> chat.status().backends().stream()
                        .noneMatch(backend -> backend.id().startsWith("r2-"))))
                .isTrue();
    }

    @Test
    void aChangeThatServesOnServerlessOnlyTakesOverWhenItsTimeIsUp() {
        Deployment chat = world.serving();
        world.cloud.setCapacity("local-1a/l4-1/SPOT", 0);
        world.cloud.setCapacity("local-1b/l4-1/SPOT", 0);
        world.tuna.redeploy(changed());
        world.traffic("chat", Duration.ofMinutes(28), Duration.ofSeconds(5), SECOND);
        assertThat(chat.rolled()).isNotDone();
        world.traffic("chat", Duration.ofMinutes(4), Duration.ofSeconds(5), SECOND);
        assertThat(ended(chat).outcome()).isEqualTo(Outcome.ROLLED);
        assertThat(chat.status().traffic().failed()).isZero();
    }

    @Test
    void aFleetIsReplacedByAFleetOfItsSize() {
        ScalingPolicy three = ScalingPolicy.DEFAULT.withSpot(
                ScalingPolicy.Spot.builder().minReplicas(3).build());
        Deployment chat = world.start().deploy(chat().scaling(three).build());
        assertThat(world.until(() -> serving(chat, "replica-") == 3)).isTrue();
        world.tuna.redeploy(chat().scaling(three).maxModelLen(8192).build());
        assertThat(ended(chat).outcome()).isEqualTo(Outcome.ROLLED);
        assertThat(world.gateway.route("chat").replicas())
                .filteredOn(backend -> !backend.draining())
                .hasSize(3);
    }

    @Test
    void aRestartInTheMiddleDoesNotMakeAnEndpointOutweighAFleetThatIsNotSeenYet() {
        world.serving();
        world.tuna.redeploy(changed());
        world.pass(Duration.ofMinutes(2));
        world.cloud.faults(FaultScript.onEvery(Operation.OBSERVE, CallFault.status(500)));
        world.restart();
        Deployment again = world.tuna.deployment("chat").orElseThrow();
        world.pass(Duration.ofMinutes(1));
        assertThat(again.rolled()).isNotDone();
        world.cloud.faults(FaultScript.NONE);
        assertThat(ended(again).outcome()).isEqualTo(Outcome.ROLLED);
        assertThat(world.gateway.route("chat").replicas())
                .anyMatch(backend -> backend.id().equals("r2-replica-1") && !backend.draining());
    }

    @Test
    void aFleetThatNobodySeesAgainDoesNotHoldTheChangeUpForEver() {
        world.serving();
        world.tuna.redeploy(changed());
        world.pass(Duration.ofMinutes(2));
        world.cloud.faults(FaultScript.onEvery(Operation.OBSERVE, CallFault.status(500)));
        world.restart();
        world.pass(Duration.ofMinutes(31));
        Deployment again = world.tuna.deployment("chat").orElseThrow();
        assertThat(again.rolled()).isCompletedWithValueMatching(report -> report.outcome() == Outcome.ROLLED);
    }

    @Test
    void timeInWhichNobodyWorkedOnAChangeDoesNotCount() {
        world.serving();
        world.tuna.redeploy(changed());
        world.pass(Duration.ofMinutes(1));
        world.tuna.close();
        world.pass(Duration.ofHours(10));
        world.restart();
        Deployment again = world.tuna.deployment("chat").orElseThrow();
        assertThat(again.status().roll())
                .hasValueSatisfying(roll -> assertThat(roll.deadline())
                        .isEqualTo(world.time.instant().plus(Duration.ofMinutes(30))));
        assertThat(ended(again).outcome()).isEqualTo(Outcome.ROLLED);
    }

    @Test
    void aChangeWaitsForAnEndpointIfWhatServesHasOne() {
        Deployment chat = world.serving();
        world.cloud.faults(FaultScript.onEvery(Operation.PUT_ENDPOINT, CallFault.timeout()));
        world.tuna.redeploy(changed());
        assertThat(world.until(() -> serving(chat, "r2-replica-") == 1)).isTrue();
        world.pass(Duration.ofMinutes(5));
        assertThat(chat.rolled()).isNotDone();
        world.cloud.faults(FaultScript.NONE);
        assertThat(ended(chat).outcome()).isEqualTo(Outcome.ROLLED);
        assertThat(world.gateway.route("chat").serverless())
                .extracting(RouteBackend::id)
                .contains("r2-local");
    }

    @Test
    void aFleetIsNotReplacedByOneThatCannotRentAnything() {
        ScalingPolicy one = ScalingPolicy.DEFAULT.withSpot(
                ScalingPolicy.Spot.builder().minReplicas(1).build());
        Deployment chat = world.start().deploy(chat().scaling(one).build());
        assertThat(world.spotServes(chat)).isTrue();
        world.cloud.faults(FaultScript.onEvery(Operation.READ_POOLS, CallFault.status(403)));
        world.tuna.redeploy(chat().scaling(one).maxModelLen(8192).build());
        world.pass(Duration.ofMinutes(29));
        assertThat(chat.rolled()).isNotDone();
        world.pass(Duration.ofMinutes(2));
        assertThat(ended(chat).outcome()).isEqualTo(Outcome.ABANDONED);
        assertThat(ended(chat).detail()).contains("cannot rent");
        assertThat(chat.status().spotState()).isEqualTo(SpotState.READY);
    }

    private static long serving(Deployment chat, String prefix) {
        return chat.status().backends().stream()
                .filter(backend -> backend.id().startsWith(prefix) && backend.phase() == BackendPhase.READY)
                .count();
    }

    @Test
    void numbersThatOnlyTunaLooksAtHoldAtOnceAndReplaceNothing() {
        Deployment chat = world.serving();
        ScalingPolicy two = ScalingPolicy.DEFAULT.withSpot(
                ScalingPolicy.Spot.builder().minReplicas(2).build());
        world.tuna.redeploy(chat().scaling(two).build());
        assertThat(ended(chat).outcome()).isEqualTo(Outcome.ADJUSTED);
        assertThat(world.until(() -> world.running().size() == 2)).isTrue();
        assertThat(chat.status().backends())
                .extracting(BackendStatus::id)
                .containsExactlyInAnyOrder("local", "replica-1", "replica-2");
        world.tuna.redeploy(chat().scaling(two).serverlessOnly(true).build());
        assertThat(world.until(() -> world.running().isEmpty())).isTrue();
        world.restart();
        assertThat(world.tuna.deployment("chat").orElseThrow().request().serverlessOnly())
                .isTrue();
        assertThat(world.happened(Kind.ROLL_STARTED)).isFalse();
    }

    @Test
    void aDeploymentWithoutReplicasGetsThemInPlace() {
        Deployment chat = world.start().deploy(chat().serverlessOnly(true).build());
        assertThat(world.until(() -> chat.ready().isDone())).isTrue();
        world.tuna.redeploy(chat().build());
        assertThat(world.spotServes(chat)).isTrue();
        assertThat(ended(chat).outcome()).isEqualTo(Outcome.ADJUSTED);
        world.restart();
        Deployment again = world.tuna.deployment("chat").orElseThrow();
        assertThat(world.spotServes(again)).isTrue();
    }

    @Test
    void anotherLimitOfReplicasIsARollWhereTheEndpointHasItsLimitFromIt() {
        Deployment chat = world.serving();
        var three = ScalingPolicy.Spot.builder().maxReplicas(3).build();
        world.tuna.redeploy(
                chat().scaling(ScalingPolicy.DEFAULT.withSpot(three)).build());
        assertThat(chat.status().roll()).isPresent();
        assertThat(ended(chat).outcome()).isEqualTo(Outcome.ROLLED);
    }

    @Test
    void anotherLimitOfReplicasHoldsAtOnceWhereTheEndpointHasALimitOfItsOwn() {
        var own = new ScalingPolicy(
                ScalingPolicy.DEFAULT.spot(),
                ScalingPolicy.Serverless.builder().workersMax(4).build());
        Deployment chat = world.start().deploy(chat().scaling(own).build());
        assertThat(world.spotServes(chat)).isTrue();
        var three = ScalingPolicy.Spot.builder().maxReplicas(3).build();
        world.tuna.redeploy(chat().scaling(own.withSpot(three)).build());
        assertThat(ended(chat).outcome()).isEqualTo(Outcome.ADJUSTED);
    }

    @Test
    void aLoweredLimitHoldsForLaunchesThatAreBeingPrepared() {
        for (int steps = 0; steps < 40; steps++) {
            try (var world = new Simulation()) {
                world.stepwise = true;
                Deployment chat = world.start().deploy(chat().build());
                var left = new AtomicInteger(steps);
                world.time.runUntil(() -> left.getAndDecrement() == 0, Duration.ofMinutes(20));
                world.tuna.redeploy(chat().serverlessOnly(true).build());
                long asked = chat.status().backends().stream()
                        .filter(backend -> backend.id().startsWith("replica-"))
                        .count();
                assertThat(world.until(
                                () -> chat.ready().isDone() && chat.rolled().isDone()))
                        .isTrue();
                assertThat(replicasAskedFor(world))
                        .as("asked for after step %s", steps)
                        .isEqualTo(asked);
            }
        }
    }

    private static long replicasAskedFor(Simulation world) {
        return world.events.stream()
                .filter(event -> event.kind() == Kind.BACKEND_REQUESTED
                        && event.backend().orElseThrow().startsWith("replica-"))
                .count();
    }

    private static ScalingPolicy upTo(int replicas) {
        return new ScalingPolicy(
                ScalingPolicy.Spot.builder()
                        .minReplicas(Math.min(1, replicas))
                        .maxReplicas(replicas)
                        .targetQps(0.1)
                        .build(),
                ScalingPolicy.Serverless.builder().workersMax(4).build());
    }

    @Test
    void replicasThatBootAboveALoweredLimitAreEndedToo() {
        Deployment chat = world.start().deploy(chat().scaling(upTo(4)).build());
        assertThat(world.spotServes(chat)).isTrue();
        world.traffic("chat", Duration.ofMinutes(2), Duration.ofSeconds(1), Duration.ofMillis(100));
        assertThat(world.running()).as("one serves, three boot").hasSize(4);
        world.tuna.redeploy(chat().scaling(upTo(2)).build());
        world.pass(Duration.ofSeconds(20));
        assertThat(world.running()).hasSize(2);
        assertThat(chat.status().spotState()).as("the one that serves stays").isEqualTo(SpotState.READY);
        assertThat(world.events)
                .filteredOn(event -> event.kind() == Kind.BACKEND_FAILED)
                .isEmpty();
        world.traffic("chat", Duration.ofMinutes(10), Duration.ofSeconds(1), Duration.ofMillis(100));
        assertThat(world.running()).hasSize(2);
        assertThat(serving(chat, "replica-")).isEqualTo(2);
        assertThat(world.happened(Kind.ROLL_STARTED)).isFalse();
    }

    @Test
    void aReplicaThatBootsIsNotEndedForLackOfTrafficNorByALimitThatItKeeps() {
        Deployment chat = world.start().deploy(chat().scaling(upTo(4)).build());
        assertThat(world.spotServes(chat)).isTrue();
        world.traffic("chat", Duration.ofMinutes(2), Duration.ofSeconds(1), Duration.ofMillis(100));
        assertThat(world.running()).hasSize(4);
        world.pass(Duration.ofMinutes(1));
        world.tuna.redeploy(chat().scaling(upTo(4).withSpot(
                                ScalingPolicy.Spot.builder().maxReplicas(4).build()))
                .build());
        assertThat(world.until(() -> serving(chat, "replica-") == 4))
                .as("without a request since a minute after they were asked for")
                .isTrue();
    }

    @Test
    void anEqualRequestChangesNothing() {
        Deployment chat = world.serving();
        assertThat(chat.rolled()).isCompleted();
        world.tuna.redeploy(chat().build());
        assertThat(chat.rolled()).isCompletedWithValueMatching(report -> report.outcome() == Outcome.UNCHANGED);
        assertThat(chat.status().roll()).isEmpty();
    }

    @Test
    void anotherChangeReplacesTheOneOnItsWay() {
        Deployment chat = world.serving();
        world.tuna.redeploy(changed());
        CompletableFuture<RollReport> first = chat.rolled();
        world.pass(Duration.ofMinutes(1));
        world.tuna.redeploy(chat().maxModelLen(2048).build());
        CompletableFuture<RollReport> second = chat.rolled();
        assertThat(world.until(first::isDone)).isTrue();
        assertThat(first.join().outcome()).isEqualTo(Outcome.ABANDONED);
        assertThat(first.join().detail()).contains("another change");
        assertThat(world.until(second::isDone)).isTrue();
        assertThat(second.join().outcome()).isEqualTo(Outcome.ROLLED);
        assertThat(chat.request().maxModelLen()).isEqualTo(2048);
        assertThat(onlyOneRevisionIsLeft(chat)).isTrue();
        assertThat(chat.status().backends()).extracting(BackendStatus::id).contains("r3-local", "r3-replica-1");
        assertThat(chat.status().problems()).isEmpty();
    }

    @Test
    void theNumberOfARevisionThatWasGivenUpIsNotGivenAgainAfterARestart() {
        Deployment chat = world.serving();
        world.tuna.redeploy(changed());
        world.pass(Duration.ofMinutes(1));
        world.tuna.redeploy(chat().build());
        assertThat(onlyOneRevisionIsLeft(chat)).isTrue();
        world.crash();
        world.tuna.redeploy(changed());
        assertThat(world.tuna.deployment("chat").orElseThrow().status().roll())
                .hasValueSatisfying(roll -> assertThat(roll.revision()).isEqualTo(3));
    }

    @Test
    void askingForWhatServesEndsTheRoll() {
        Deployment chat = world.serving();
        world.tuna.redeploy(changed());
        CompletableFuture<RollReport> rolled = chat.rolled();
        world.pass(Duration.ofMinutes(1));
        world.tuna.redeploy(chat().build());
        assertThat(world.until(rolled::isDone)).isTrue();
        assertThat(rolled.join().outcome()).isEqualTo(Outcome.ABANDONED);
        assertThat(onlyOneRevisionIsLeft(chat)).isTrue();
        assertThat(chat.status().backends()).extracting(BackendStatus::id).contains("local", "replica-1");
        assertThat(chat.status().problems()).isEmpty();
    }

    @Test
    void destroyingEndsBothAndTheBillHasAllRevisions() {
        Deployment chat = world.serving();
        world.tuna.redeploy(changed());
        assertThat(ended(chat).outcome()).isEqualTo(Outcome.ROLLED);
        assertThat(onlyOneRevisionIsLeft(chat)).isTrue();
        world.tuna.redeploy(chat().maxModelLen(2048).build());
        world.pass(Duration.ofMinutes(3));
        CompletableFuture<RollReport> rolled = chat.rolled();
        var destroyed = chat.destroy();
        assertThat(world.until(destroyed::isDone)).isTrue();
        assertThat(rolled.join().outcome()).isEqualTo(Outcome.ABANDONED);
        assertNothingIsLeft(world);
        assertThat(destroyed.join().removed()).hasSize(4);
        CostReport bill = destroyed.join().cost();
        assertThat(billedTime(bill)).isEqualTo(meteredTime(world));
        assertThat(bill.lines())
                .extracting(CostReport.Line::backend)
                .contains("local", "replica-1", "r2-local", "r2-replica-1", "r3-local", "r3-replica-1");
        assertThat(world.tuna.cost("chat").total()).isEqualTo(bill.total());
        assertThat(world.tuna.history(10)).hasSize(1);
        assertThat(world.tuna.status("chat").phase()).isEqualTo(DeploymentPhase.DESTROYED);
    }

    @Test
    void aStuckRevisionKeepsTheNameUntilItIsGone() {
        Deployment chat = world.serving();
        String old = world.running().get(0).id();
        world.cloud.faults(
                call -> call.operation() == Operation.TERMINATE && call.target().equals(old)
                        ? Optional.of(CallFault.status(500))
                        : Optional.empty());
        world.tuna.redeploy(changed());
        assertThat(ended(chat).outcome()).isEqualTo(Outcome.ROLLED);
        world.pass(Duration.ofMinutes(10));
        assertThat(chat.status().problems()).anyMatch(problem -> problem.contains("revision 1: replica-1"));
        var destroyed = chat.destroy();
        world.pass(Duration.ofMinutes(10));
        assertThat(destroyed).isNotDone();
        assertThat(world.tuna.deployments()).hasSize(1);
        world.cloud.faults(FaultScript.NONE);
        assertThat(world.until(destroyed::isDone)).isTrue();
        assertNothingIsLeft(world);
    }

    @Test
    void aChangedModelNameTakesOverAtTheSwitch() {
        Deployment chat = world.serving();
        world.tuna.redeploy(DeployRequest.builder("Qwen/Qwen3-4B", "L4")
                .serviceName("chat")
                .serverlessProviders("local")
                .build());
        assertThat(world.gateway.route("chat").models()).containsExactly("Qwen/Qwen3-0.6B");
        assertThatThrownBy(() -> world.tuna.deploy(DeployRequest.builder("Qwen/Qwen3-4B", "L4")
                        .serviceName("other")
                        .build()))
                .hasMessageContaining("Qwen/Qwen3-4B")
                .hasMessageContaining("'chat'");
        assertThat(ended(chat).outcome()).isEqualTo(Outcome.ROLLED);
        assertThat(world.gateway.route("chat").models()).containsExactly("Qwen/Qwen3-4B");
        world.tuna.deploy(Simulation.chat().serviceName("other").build());
    }

    @Test
    void whatCannotBeChangedIsRefusedAndChangesNothing() {
        world.start();
        assertThatThrownBy(() -> world.tuna.redeploy(chat().build()))
                .isInstanceOfSatisfying(
                        ConfigurationException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.NO_SUCH_DEPLOYMENT))
                .hasMessageContaining("'chat'");
        assertThatThrownBy(() -> world.tuna.redeploy(
                        DeployRequest.builder("Qwen/Qwen3-0.6B", "L4").build()))
                .hasMessageContaining("serviceName");
        Deployment chat = world.tuna.deploy(chat().build());
        assertThatThrownBy(() -> world.tuna.deploy(chat().maxModelLen(8192).build()))
                .hasMessageContaining("redeploy");
        assertThat(world.spotServes(chat)).isTrue();
        world.tuna.redeploy(changed());
        assertThatThrownBy(() -> world.tuna.deploy(
                        DeployRequest.builder("m", "L4").serviceName("chat-r2").build()))
                .hasMessageContaining("revision 2 of deployment 'chat'");
        world.cloud.faults(FaultScript.onEvery(Operation.TERMINATE, CallFault.status(500)));
        var unused = chat.destroy();
        world.pass(SECOND);
        assertThatThrownBy(() -> world.tuna.redeploy(changed())).hasMessageContaining("torn down");
    }

    @Test
    void theNextProcessGoesOnWithTheRoll() {
        Deployment chat = world.serving();
        world.tuna.redeploy(changed());
        world.pass(Duration.ofMinutes(1));
        world.restart();
        Deployment again = world.tuna.deployment("chat").orElseThrow();
        assertThat(again.status().roll()).isPresent();
        assertThat(chat.rolled()).isCompletedExceptionally();
        assertThat(ended(again).outcome()).isEqualTo(Outcome.ROLLED);
        assertThat(onlyOneRevisionIsLeft(again)).isTrue();
        world.restart();
        Deployment third = world.tuna.deployment("chat").orElseThrow();
        assertThat(third.request()).isEqualTo(changed());
        assertThat(third.apiKey()).isPresent();
        assertThat(world.until(third.destroy()::isDone)).isTrue();
        assertNothingIsLeft(world);
        assertThat(billedTime(world.tuna.cost("chat"))).isEqualTo(meteredTime(world));
    }

    @Test
    void aCrashBetweenAnyTwoStepsOfARollLosesNothing() {
        for (int steps = 0; steps < 180; steps += 7) {
            crashAfter(steps);
        }
    }

    @Test
    @Tag("full")
    void aCrashBetweenAnyTwoStepsOfARollLosesNothingWhereverItComes() {
        for (int steps = 0; steps < 700; steps++) {
            crashAfter(steps);
        }
    }

    private static void crashAfter(int steps) {
        try (var world = new Simulation(Simulation.rememberingAll())) {
            world.stepwise = true;
            Deployment chat = world.start().deploy(chat().build());
            assertThat(world.spotServes(chat)).isTrue();
            world.tuna.redeploy(changed());
            var left = new AtomicInteger(steps);
            world.time.runUntil(() -> left.getAndDecrement() == 0, Duration.ofMinutes(20));
            Deployment again = world.crash().deployment("chat").orElseThrow();
            assertThat(world.until(() -> again.request().maxModelLen() == 8192
                            && again.status().backends().stream().allMatch(b -> b.id().startsWith("r2-"))
                            && again.status().spotState() == SpotState.READY))
                    .as("rolled after a crash at step %s", steps)
                    .isTrue();
            assertThat(world.running()).as("crash at step %s", steps).hasSize(1);
            var destroyed = again.destroy();
            assertThat(world.until(destroyed::isDone)).isTrue();
            assertNothingIsLeft(world);
            assertThat(billedTime(world.tuna.cost("chat")))
                    .as("bill after a crash at step %s", steps)
                    .isEqualTo(meteredTime(world));
        }
    }

    private static void assertNothingIsLeft(Simulation world) {
        assertThat(world.cloud.snapshot().empty()).isTrue();
        assertThat(world.tuna.deployments()).isEmpty();
        assertThat(world.tuna.orphans().found()).isEmpty();
        assertThat(world.store.load().resources()).isEmpty();
        assertThat(world.store.load().deployments()).isEmpty();
        assertThat(world.gateway.has("chat")).isFalse();
        assertThat(world.secrets.refs()).noneMatch(ref -> ref.name().startsWith("deployments/"));
    }

    private static Duration billedTime(CostReport cost) {
        return cost.lines().stream().map(CostReport.Line::billed).reduce(Duration.ZERO, Duration::plus);
    }

    private static Duration meteredTime(Simulation world) {
        Duration replicas = world.cloud.snapshot().replicas().stream()
                .map(replica -> replica.billed())
                .reduce(Duration.ZERO, Duration::plus);
        return world.cloud.snapshot().endpoints().stream()
                .map(endpoint -> endpoint.containerTime())
                .reduce(replicas, Duration::plus);
    }
}
