package dev.tuna.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.CapacityException;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent.Kind;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SpotState;
import dev.tuna.api.Tier;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.testkit.cloud.model.ReplicaView;
import dev.tuna.testkit.cloud.simulated.CallFault;
import dev.tuna.testkit.cloud.simulated.CloudCall.Operation;
import dev.tuna.testkit.cloud.simulated.FaultScript;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of replicas that cannot be had, do not come up or break, on virtual time. */
class ReplicaLifeTest {

    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final String ZONE_A = "local-1a/l4-1/SPOT";
    private static final String ZONE_B = "local-1b/l4-1/SPOT";

    private final Simulation world = new Simulation(Simulation.rememberingAll());

    @AfterEach
    void close() {
        world.close();
    }

    private Deployment deploy() {
        return world.start().deploy(Simulation.chat().build());
    }

    private boolean spotServes(Deployment deployment) {
        return world.until(() -> deployment.status().spotState() == SpotState.READY);
    }

    private void busy(Duration span) {
        world.traffic("chat", span, Duration.ofSeconds(10), SECOND);
    }

    private long launches() {
        return world.cloud.callCount(Operation.LAUNCH);
    }

    @Test
    @DisplayName("T-02, T-06: a dry zone holds nothing up, the next one is asked at once")
    void aDryZoneHoldsNothingUp() {
        world.cloud.setCapacity(ZONE_A, 0);
        deploy();
        world.pass(Duration.ofSeconds(5));
        assertThat(world.running())
                .singleElement()
                .extracting(ReplicaView::pool)
                .isEqualTo(ZONE_B);
        assertThat(launches()).isEqualTo(1);
    }

    @Test
    @DisplayName("T-02: with all spot dry and no serverless, a machine at list price is rented at once")
    void whenAllSpotIsDryTheListPriceIsPaidAtOnceIfNothingElseServes() {
        world.cloud.setCapacity(ZONE_A, 0);
        world.cloud.setCapacity(ZONE_B, 0);
        world.cloud.faults(FaultScript.onEvery(Operation.PUT_ENDPOINT, CallFault.status(403)));
        Deployment chat = deploy();
        world.pass(Duration.ofSeconds(8));
        assertThat(world.running())
                .singleElement()
                .extracting(ReplicaView::pool)
                .asString()
                .endsWith("ON_DEMAND");
        assertThat(spotServes(chat)).isTrue();
        assertThat(chat.status().backends())
                .extracting(backend -> backend.tier())
                .contains(Tier.ON_DEMAND);
    }

    private Deployment atListPrice(int replicas) {
        world.cloud.setCapacity(ZONE_A, 0);
        world.cloud.setCapacity(ZONE_B, 0);
        world.cloud.faults(FaultScript.onEvery(Operation.PUT_ENDPOINT, CallFault.status(403)));
        var policy = ScalingPolicy.Spot.builder()
                .minReplicas(replicas)
                .maxReplicas(replicas)
                .build();
        Deployment chat = world.start()
                .deploy(Simulation.chat()
                        .scaling(ScalingPolicy.DEFAULT.withSpot(policy))
                        .build());
        assertThat(world.until(() -> serving(Tier.ON_DEMAND) == replicas)).isTrue();
        return chat;
    }

    private long serving(Tier tier) {
        return world.running().stream()
                .filter(replica -> replica.phase() == BackendPhase.READY)
                .filter(replica -> replica.pool().endsWith("/" + tier))
                .count();
    }

    @ParameterizedTest(name = "of {0}")
    @ValueSource(ints = {1, 2})
    void aFullFleetAtListPriceGivesWayToSpotOneByOne(int replicas) {
        Deployment chat = atListPrice(replicas);
        world.cloud.setCapacity(ZONE_A, 2);
        for (int minute = 0; minute < 60; minute++) {
            busy(Duration.ofMinutes(1));
            assertThat(world.running()).hasSizeBetween(replicas, replicas + 1);
        }
        assertThat(world.running()).hasSize(replicas);
        assertThat(serving(Tier.SPOT)).isEqualTo(replicas);
        assertThat(chat.status().traffic().failed()).isZero();
    }

    @ParameterizedTest(name = "at {0}")
    @ValueSource(strings = {"0.80", "1.50"})
    void aMachineAtListPriceIsNotGivenUpForSpotThatIsNoCheaper(String usd) {
        atListPrice(1);
        world.cloud.setPrice(ZONE_A, new BigDecimal(usd));
        world.cloud.setPrice(ZONE_B, new BigDecimal(usd));
        world.cloud.setCapacity(ZONE_A, 2);
        long before = launched();
        busy(Duration.ofHours(1));
        assertThat(launched()).isEqualTo(before);
        assertThat(serving(Tier.ON_DEMAND)).isEqualTo(1);
        world.cloud.setPrice(ZONE_A, new BigDecimal("0.24"));
        busy(Duration.ofMinutes(30));
        assertThat(world.running()).hasSize(1);
        assertThat(serving(Tier.SPOT)).isEqualTo(1);
    }

    @Test
    void wantOfCapacityIsAskedAboutAgainWithGrowingPausesOfThatPool() {
        world.cloud.setCapacity(ZONE_A, 0);
        world.cloud.setCapacity(ZONE_B, 0);
        Deployment chat = deploy();
        busy(Duration.ofSeconds(170));
        assertThat(launches()).as("a pool is left alone for minutes").isEqualTo(1);
        busy(Duration.ofMinutes(10));
        assertThat(launches()).as("3 and 6 minutes apart").isEqualTo(3);
        busy(Duration.ofHours(1));
        assertThat(launches()).as("and then 10").isBetween(8L, 10L);
        world.cloud.setCapacity(ZONE_B, 1);
        busy(Duration.ofMinutes(17));
        assertThat(chat.status().spotState()).isEqualTo(SpotState.READY);
        assertThat(chat.status().problems()).isEmpty();
    }

    @Test
    void wantOfQuotaIsAskedAboutAgainAfterALongPauseOnly() {
        world.cloud.faults(FaultScript.onEvery(
                Operation.LAUNCH,
                CallFault.throwing(new CapacityException(
                        ErrorCode.QUOTA, "quota 'L-3819A6DF' for spot L4 in local-1 is 0; raise it"))));
        Deployment chat = deploy();
        busy(Duration.ofMinutes(25));
        assertThat(launches()).isEqualTo(1);
        assertThat(chat.status().problems()).singleElement().asString().contains("L-3819A6DF", "raise it");
        world.cloud.faults(FaultScript.NONE);
        busy(Duration.ofMinutes(15));
        assertThat(chat.status().spotState()).isEqualTo(SpotState.READY);
    }

    @Test
    void aRefusalForWantOfPermissionRestsLongAndSaysWhy() {
        world.cloud.faults(FaultScript.onEvery(Operation.LAUNCH, CallFault.status(403)));
        Deployment chat = deploy();
        busy(Duration.ofMinutes(65));
        assertThat(launches()).isEqualTo(3);
        assertThat(chat.status().problems()).singleElement().asString().contains("403", "asked for in 30m");
        assertThat(chat.status().traffic().failed()).isZero();
    }

    @Test
    void aPlanThatCannotBeHonouredIsNotSentAgain() {
        world.cloud.faults(FaultScript.onEvery(
                Operation.LAUNCH,
                CallFault.throwing(new ConfigurationException(
                        ErrorCode.INVALID_REQUEST,
                        "providerOptions.local-spot.disk_gb is '1' but must be 20 or more"))));
        Deployment chat = deploy();
        busy(Duration.ofHours(5));
        assertThat(launches()).isEqualTo(1);
        assertThat(chat.status().problems()).singleElement().asString().contains("disk_gb", "deploy again");
        assertThat(chat.status().phase()).isEqualTo(DeploymentPhase.ACTIVE);
        assertThat(world.until(chat.destroy()::isDone)).isTrue();
    }

    @Test
    @DisplayName("T-04: the boot deadline says how far the replica came, and the machine is given back")
    void theBootDeadlineSaysHowFarItCame() {
        world.cloud.setBootDelay(ZONE_A, Duration.ofHours(3));
        world.cloud.setBootDelay(ZONE_B, Duration.ofHours(3));
        Deployment chat = deploy();
        busy(Duration.ofMinutes(21));
        assertThat(chat.status().problems())
                .singleElement()
                .asString()
                .contains("did not serve within 20m", "it came as far as booting", "machine boots");
    }

    @Test
    @DisplayName("T-04: an engine that exited is given up at once, not at the deadline")
    void anEngineThatExitedIsGivenUpAtOnce() {
        world.cloud.failBoots(ZONE_A, 1);
        Deployment chat = deploy();
        while (!world.happened(Kind.BACKEND_FAILED)) {
            busy(Duration.ofSeconds(10));
        }
        busy(Duration.ofSeconds(10));
        assertThat(world.running())
                .singleElement()
                .extracting(ReplicaView::phase)
                .isEqualTo(BackendPhase.BOOTING);
        assertThat(chat.status().problems()).singleElement().asString().contains("did not boot, as scripted");
        assertThat(spotServes(chat)).isTrue();
        assertThat(chat.status().problems()).isEmpty();
    }

    @Test
    @DisplayName("replicas that serve and die within minutes, over and over, stop costing money")
    void replicasThatDieSoonAfterTheyServeAreBraked() {
        Deployment chat = deploy();
        for (int minute = 0; minute < 6 * 60; minute++) {
            busy(Duration.ofMinutes(1));
            world.running().stream()
                    .filter(replica -> replica.phase() == BackendPhase.READY)
                    .forEach(replica -> world.cloud.lose(replica.id()));
        }
        // Five until the brake, then one in each half hour: without it there would be one each six minutes, sixty in
        // all.
        assertThat(launches()).isBetween(10L, 15L);
        assertThat(chat.status().problems()).anyMatch(problem -> problem.contains("launching rests"));
        assertThat(chat.status().traffic().failed()).isZero();
        busy(Duration.ofMinutes(60));
        assertThat(chat.status().spotState()).isEqualTo(SpotState.READY);
        assertThat(chat.status().problems()).isEmpty();
    }

    @Test
    void anOldReplicaThatServesDoesNotReleaseTheBrakeOfNewOnesThatDoNotComeUp() {
        var policy = ScalingPolicy.Spot.builder()
                .minReplicas(2)
                .targetQps(0.01)
                .maxReplicas(2)
                .build();
        world.cloud.setCapacity(ZONE_B, 0);
        world.cloud.setCapacity(ZONE_A, 1);
        Deployment chat = world.start()
                .deploy(Simulation.chat()
                        .scaling(ScalingPolicy.DEFAULT.withSpot(policy))
                        .build());
        assertThat(spotServes(chat)).isTrue();
        world.pass(Duration.ofHours(1));
        world.cloud.failBoots(ZONE_B, 1000);
        world.cloud.setCapacity(ZONE_B, 5);
        long before = launched();
        world.pass(Duration.ofHours(3));
        assertThat(launched() - before).as("a boot takes 5 minutes").isBetween(7L, 12L);
        assertThat(chat.status().spotState()).isEqualTo(SpotState.READY);
    }

    @Test
    void whatItsCloudTakesWhileItBootsDoesNotCountAsAReplicaThatDoesNotComeUp() {
        Deployment chat = deploy();
        for (int time = 0; time < 6; time++) {
            assertThat(world.until(() -> booting().isPresent())).isTrue();
            world.cloud.interrupt(booting().orElseThrow().id(), Duration.ofMinutes(2));
            busy(Duration.ofMinutes(3));
            assertThat(chat.status().problems()).isEmpty();
        }
        assertThat(spotServes(chat)).isTrue();
        assertThat(launches()).isGreaterThanOrEqualTo(7);
    }

    @Test
    void aReplicaUnderNoticeIsLeftToItsCloudSinceWhatThatTakesMayCostNothing() {
        Deployment chat = deploy();
        assertThat(spotServes(chat)).isTrue();
        ReplicaView first = world.running().get(0);
        world.cloud.interrupt(first.id(), Duration.ofMinutes(2));
        world.pass(Duration.ofSeconds(110));
        assertThat(world.running()).as("it and its successor").hasSize(2);
        assertThat(world.gateway.route("chat").replicas())
                .as("nobody is sent there")
                .isEmpty();
        world.pass(Duration.ofSeconds(30));
        assertThat(world.running()).hasSize(1);
        assertThat(world.cloud.callCount(Operation.TERMINATE)).isZero();
    }

    @Test
    void aReplicaThatItsCloudDoesNotTakeAtTheTimeThatItSaidIsEnded() {
        var telling = new TellingSpot(world.spot);
        world.spot = telling;
        Deployment chat = deploy();
        assertThat(spotServes(chat)).isTrue();
        ReplicaView first = world.running().get(0);
        Instant end = world.time.instant().plus(Duration.ofMinutes(2));
        telling.change =
                seen -> seen.address().map(BackendAddress::url).equals(first.address()) ? underNotice(seen, end) : seen;
        world.pass(Duration.ofMinutes(2));
        assertThat(world.running()).extracting(ReplicaView::id).contains(first.id());
        world.pass(Duration.ofSeconds(15));
        assertThat(world.running()).extracting(ReplicaView::id).doesNotContain(first.id());
    }

    private static ReplicaObservation underNotice(ReplicaObservation seen, Instant end) {
        return new ReplicaObservation(
                seen.phase(),
                seen.detail(),
                seen.pool(),
                seen.address(),
                Optional.of(end),
                seen.launchedAt(),
                seen.endedAt(),
                seen.usdPerHour());
    }

    @Test
    void whoDestroysDoesNotWaitForWhatACloudWillTake() {
        Deployment chat = deploy();
        assertThat(spotServes(chat)).isTrue();
        world.cloud.interrupt(world.running().get(0).id(), Duration.ofMinutes(2));
        world.pass(Duration.ofSeconds(30));
        assertThat(world.running()).hasSize(2);
        var unused = chat.destroy();
        world.pass(Duration.ofSeconds(20));
        assertThat(world.running()).isEmpty();
    }

    private Optional<ReplicaView> booting() {
        return world.running().stream()
                .filter(replica -> replica.phase() == BackendPhase.BOOTING)
                .filter(replica -> replica.interruptionAt().isEmpty())
                .findFirst();
    }

    @ParameterizedTest(name = "first seen {0}")
    @EnumSource(
            value = BackendPhase.class,
            names = {"FAILED", "GONE"})
    void whatItsCloudTookWithoutNoticeIsReplacedFromElsewhereAndNoBootFailure(BackendPhase phase) {
        var telling = new TellingSpot(world.spot);
        world.spot = telling;
        Deployment chat = deploy();
        assertThat(spotServes(chat)).isTrue();
        ReplicaView first = world.running().get(0);
        Instant taken = world.time.instant();
        telling.change = seen -> seen.phase() == BackendPhase.GONE
                        || seen.address().map(BackendAddress::url).equals(first.address())
                ? as(phase, seen, taken)
                : seen;
        if (phase == BackendPhase.GONE) {
            world.cloud.lose(first.id());
        }
        busy(Duration.ofSeconds(30));
        assertThat(chat.status().problems()).isEmpty();
        assertThat(world.running())
                .singleElement()
                .satisfies(next -> assertThat(next.pool()).isNotEqualTo(first.pool()));
        assertThat(spotServes(chat)).isTrue();
    }

    private static ReplicaObservation as(BackendPhase phase, ReplicaObservation seen, Instant taken) {
        return new ReplicaObservation(
                seen.phase() == BackendPhase.GONE ? BackendPhase.GONE : phase,
                "its cloud took it",
                seen.pool(),
                Optional.empty(),
                Optional.of(taken),
                seen.launchedAt(),
                seen.endedAt(),
                seen.usdPerHour());
    }

    private long launched() {
        return world.cloud.snapshot().replicas().size();
    }

    @Test
    void afterTheBrakeOneReplicaIsTriedBeforeTheWholeFleet() {
        world.cloud.failBoots(ZONE_A, 1000);
        world.cloud.failBoots(ZONE_B, 1000);
        var fleet = ScalingPolicy.Spot.builder().minReplicas(4).maxReplicas(4).build();
        world.start()
                .deploy(Simulation.chat()
                        .scaling(ScalingPolicy.DEFAULT.withSpot(fleet))
                        .build());
        world.pass(Duration.ofMinutes(30));
        long braked = launches();
        assertThat(braked).isBetween(5L, 12L);
        world.pass(Duration.ofHours(2));
        assertThat(launches() - braked).isBetween(2L, 4L);
        world.cloud.failBoots(ZONE_A, 0);
        world.cloud.failBoots(ZONE_B, 0);
        assertThat(world.until(() -> world.running().stream()
                                .filter(replica -> replica.phase() == BackendPhase.READY)
                                .count()
                        == 4))
                .isTrue();
    }

    @Test
    @DisplayName("T-05, T-07: a connection that is refused is the first sign; the cloud confirms, a new replica comes")
    void aFaultOfARequestIsNoticedBeforeTheNextLook() {
        Deployment chat = deploy();
        assertThat(spotServes(chat)).isTrue();
        busy(Duration.ofMinutes(11));
        world.cloud.lose(world.running().get(0).id());
        world.gateway.request("chat", SECOND);
        world.pass(Duration.ofSeconds(1));
        assertThat(chat.status().spotState()).isNotEqualTo(SpotState.READY);
        assertThat(world.running())
                .singleElement()
                .extracting(ReplicaView::phase)
                .isEqualTo(BackendPhase.BOOTING);
        assertThat(chat.status().traffic().failed()).isZero();
    }
}
