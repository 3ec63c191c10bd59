package dev.tuna.testkit.cloud.simulated;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.CapacityException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.Secret;
import dev.tuna.api.Tier;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.LaunchPlan;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.SpotCloud;
import dev.tuna.testkit.cloud.model.CloudRefusal;
import dev.tuna.testkit.cloud.model.CloudSettings;
import dev.tuna.testkit.cloud.model.ReplicaView;
import dev.tuna.testkit.cloud.plugin.Specs;
import dev.tuna.testkit.cloud.plugin.TestContext;
import dev.tuna.testkit.cloud.simulated.CloudCall.Operation;
import dev.tuna.testkit.time.VirtualTime;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SimulatedSpotTest {

    private static final CapacityPool SPOT_A = pool("local-1a", Tier.SPOT);
    private static final CapacityPool SPOT_B = pool("local-1b", Tier.SPOT);
    private static final CapacityPool ON_DEMAND = pool("local-1a", Tier.ON_DEMAND);
    private static final String A = "local-1a/l4-1/SPOT";

    private final VirtualTime time = VirtualTime.create();
    private final TestContext context = TestContext.of(Map.of());
    private final SimulatedCloud cloud =
            SimulatedCloud.on(time, CloudSettings.DEFAULT.withBootDelay(Duration.ofSeconds(90)));
    private final SpotCloud spot = cloud.spot().open(context);

    private static CapacityPool pool(String zone, Tier tier) {
        return new CapacityPool("local-spot", "local-1", zone, "l4-1", tier);
    }

    @BeforeEach
    void key() {
        context.secrets().put(Specs.KEY, Secret.of("key"));
        cloud.engineStart(Duration.ofSeconds(30));
    }

    private LaunchPlan plan(String token, CapacityPool... pools) {
        return spot.plan(Specs.replica(Specs.engine()), List.of(pools), token);
    }

    private ResourceRef launch(String token, CapacityPool... pools) {
        return spot.launch(plan(token, pools));
    }

    private ReplicaObservation observe(ResourceRef replica) {
        return Objects.requireNonNull(spot.observe(List.of(replica)).get(replica));
    }

    private ReplicaView view(ResourceRef replica) {
        return cloud.snapshot().replica(replica.id());
    }

    @Test
    void bootsTheMachineThenTheModelServer() {
        ResourceRef replica = launch("t", SPOT_A);
        assertThat(observe(replica).phase()).isEqualTo(BackendPhase.BOOTING);
        assertThat(observe(replica).launchedAt()).contains(VirtualTime.DEFAULT_START);
        time.advance(Duration.ofSeconds(90));
        assertThat(observe(replica).phase()).isEqualTo(BackendPhase.ENGINE);
        time.advance(Duration.ofSeconds(30));
        ReplicaObservation ready = observe(replica);
        assertThat(ready.phase()).isEqualTo(BackendPhase.READY);
        assertThat(ready.pool()).contains(SPOT_A);
        assertThat(ready.usdPerHour()).contains(new BigDecimal("0.24"));
        assertThat(ready.address().orElseThrow().credential()).isPresent();
    }

    @Test
    void billsFromLaunchToEndAtThePriceOfTheTime() {
        ResourceRef replica = launch("t", SPOT_A);
        time.advance(Duration.ofMinutes(9));
        observe(replica);
        cloud.setPrice(A, new BigDecimal("0.48"));
        time.advance(Duration.ofMinutes(9));
        spot.terminate(replica);
        time.runDue();
        time.advance(Duration.ofMinutes(9));
        assertThat(view(replica).billed()).isEqualTo(Duration.ofMinutes(18));
        assertThat(view(replica).usd()).isEqualByComparingTo("0.108"); // 9 min at 0.24 $/h, 9 min at 0.48 $/h
        assertThat(observe(replica).endedAt()).contains(VirtualTime.DEFAULT_START.plus(Duration.ofMinutes(18)));
    }

    @Test
    void isDrainingUntilTheMachineHasStopped() {
        cloud.engineStop(Duration.ofSeconds(4));
        ResourceRef replica = launch("t", SPOT_A);
        time.advance(Duration.ofMinutes(3));
        spot.terminate(replica);
        assertThat(observe(replica).phase()).isEqualTo(BackendPhase.DRAINING);
        time.advance(Duration.ofSeconds(4));
        assertThat(observe(replica).phase()).isEqualTo(BackendPhase.GONE);
        assertThat(view(replica).billed()).isEqualTo(Duration.ofSeconds(184));
        assertThat(cloud.snapshot().empty()).isTrue();
    }

    @Test
    void launchesOnceForOneTokenEvenWhenTheReplicaHasEnded() {
        ResourceRef replica = launch("t", SPOT_A);
        assertThat(launch("t", SPOT_A)).isEqualTo(replica);
        cloud.lose(replica.id());
        assertThat(launch("t", SPOT_A)).isEqualTo(replica);
        assertThat(launch("u", SPOT_A)).isNotEqualTo(replica);
        assertThat(spot.find()).hasSize(1);
    }

    @Test
    void refusesATokenThatBelongsToAnotherLaunch() {
        launch("t", SPOT_A);
        assertThatThrownBy(() -> launch("t", SPOT_B))
                .isInstanceOfSatisfying(ProviderException.class, refusal -> {
                    assertThat(refusal.httpStatus()).hasValue(409);
                    assertThat(refusal.retryable()).isFalse();
                })
                .hasMessageContaining("token 't'");
    }

    @Test
    void takesTheFirstPoolWithAMachineAndSaysWhenAllAreDry() {
        cloud.setCapacity(A, 1);
        cloud.setCapacity("local-1b/l4-1/SPOT", 1);
        ResourceRef first = launch("t", SPOT_A, SPOT_B);
        ResourceRef second = launch("u", SPOT_A, SPOT_B);
        assertThat(observe(first).pool()).contains(SPOT_A);
        assertThat(observe(second).pool()).contains(SPOT_B);
        assertThatThrownBy(() -> launch("v", SPOT_A, SPOT_B)).isInstanceOfSatisfying(CapacityException.class, dry -> {
            assertThat(dry.code()).isEqualTo(ErrorCode.CAPACITY);
            assertThat(dry.retryable()).isTrue();
        });
        cloud.lose(first.id());
        assertThat(observe(launch("v", SPOT_A, SPOT_B)).pool()).contains(SPOT_A);
    }

    @Test
    void servesOnThroughTheNoticeAndIsTakenAtItsEnd() {
        ResourceRef replica = launch("t", SPOT_A);
        time.advance(Duration.ofMinutes(5));
        cloud.interrupt(replica.id(), Duration.ofMinutes(2));
        Instant at = time.instant().plus(Duration.ofMinutes(2));
        assertThat(observe(replica).interruptionAt()).contains(at);
        time.advance(Duration.ofMinutes(2).minusNanos(1));
        assertThat(observe(replica).phase()).isEqualTo(BackendPhase.READY);
        time.advance(Duration.ofNanos(1));
        assertThat(observe(replica).phase()).isEqualTo(BackendPhase.GONE);
        assertThat(observe(replica).endedAt()).contains(at);
        assertThat(cloud.snapshot().machines()).isZero();
    }

    @Test
    void neverTakesOnDemandMachinesButCanLoseThem() {
        ResourceRef replica = launch("t", ON_DEMAND);
        assertThatThrownBy(() -> cloud.interrupt(replica.id(), Duration.ZERO)).isInstanceOf(CloudRefusal.class);
        cloud.lose(replica.id());
        assertThat(observe(replica).phase()).isEqualTo(BackendPhase.GONE);
        assertThat(observe(replica).detail()).isEqualTo("lost without notice");
    }

    @Test
    void goesOnBillingAReplicaWhoseModelServerFailed() {
        cloud.failBoots(A, 1);
        ResourceRef replica = launch("t", SPOT_A);
        time.advance(Duration.ofMinutes(5));
        assertThat(observe(replica).phase()).isEqualTo(BackendPhase.FAILED);
        assertThat(view(replica).billed()).isEqualTo(Duration.ofMinutes(5));
        spot.terminate(replica);
        assertThat(observe(replica).phase()).isEqualTo(BackendPhase.GONE);
        time.advance(Duration.ofMinutes(5));
        assertThat(view(replica).billed()).isEqualTo(Duration.ofMinutes(5));
    }

    @Test
    void endsItselfExactlyWhenNoControllerWasHeardFromForTheTimeout() {
        ResourceRef replica = launch("t", SPOT_A);
        time.advance(Duration.ofMinutes(4));
        observe(replica);
        time.advance(Duration.ofMinutes(10).minusNanos(1));
        assertThat(view(replica).phase()).isEqualTo(BackendPhase.READY);
        time.advance(Duration.ofNanos(1));
        assertThat(view(replica).phase()).isEqualTo(BackendPhase.GONE);
        assertThat(view(replica).detail()).contains("heard from no controller");
        assertThat(view(replica).billed()).isEqualTo(Duration.ofMinutes(14));
    }

    @Test
    void forgetsEndedReplicasAndTheirTokensAfterAWhile() {
        ResourceRef replica = launch("t", SPOT_A);
        cloud.lose(replica.id());
        time.advance(CloudSettings.DEFAULT.endedMemory());
        assertThat(observe(replica).endedAt()).isPresent();
        time.advance(Duration.ofNanos(1));
        assertThat(observe(replica)).isEqualTo(ReplicaObservation.gone());
        assertThat(launch("t", SPOT_A)).isNotEqualTo(replica);
    }

    @Test
    void refusesPoolsWhoseMachinesDoNotFit() {
        EngineSpec one = Specs.engine();
        CapacityPool h100 = new CapacityPool("local-spot", "local-1", "local-1a", "h100-1", Tier.SPOT);
        assertThat(spot.pools(Specs.replica(one))).hasSize(4);
        assertThat(spot.pools()).hasSize(8);
        assertThatThrownBy(() -> launch("t", h100)).hasMessageContaining("has 1 x H100, asked for 1 x L4");
    }

    @Test
    void leavesOneReplicaWhenTheAnswerToALaunchIsLost() {
        cloud.faults(FaultScript.onCall(Operation.LAUNCH, 1, CallFault.lostAnswer()));
        assertThatThrownBy(() -> launch("t", SPOT_A)).isInstanceOfSatisfying(ProviderException.class, lost -> {
            assertThat(lost.code()).isEqualTo(ErrorCode.UNREACHABLE);
            assertThat(lost.retryable()).isTrue();
        });
        assertThat(spot.find()).hasSize(1);
        assertThat(launch("t", SPOT_A)).isEqualTo(spot.find().get(0).resource());
        assertThat(spot.find()).hasSize(1);
    }

    @Test
    void makesNothingWhenALaunchDoesNotArriveOrIsRefused() {
        cloud.faults(FaultScript.onCall(1, CallFault.timeout())
                .and(FaultScript.onCall(Operation.LAUNCH, 2, CallFault.status(500))));
        assertThatThrownBy(() -> launch("t", SPOT_A)).isInstanceOf(ProviderException.class);
        assertThatThrownBy(() -> launch("t", SPOT_A)).isInstanceOf(ProviderException.class);
        assertThat(spot.find()).isEmpty();
        assertThat(cloud.calls())
                .extracting(CloudCall::operation)
                .containsExactly(Operation.LAUNCH, Operation.LAUNCH, Operation.LIST_REPLICAS);
        assertThat(cloud.callCount(Operation.LAUNCH)).isEqualTo(2);
    }

    @Test
    void simulatesAHundredDaysWithoutGrowing() {
        int most = 0;
        for (int hour = 0; hour < 100 * 24; hour++) {
            ResourceRef replica = launch("t-" + hour, SPOT_A);
            for (int look = 0; look < 12; look++) {
                time.advance(Duration.ofMinutes(5));
                observe(replica);
            }
            if (hour % 2 == 0) {
                spot.terminate(replica);
            } else {
                cloud.interrupt(replica.id(), Duration.ofMinutes(2));
            }
            most = Math.max(most, time.pending());
        }
        time.advance(Duration.ofHours(2));
        assertThat(most).isLessThan(20);
        assertThat(time.pending()).isZero();
        assertThat(cloud.snapshot().replicas()).isEmpty();
        assertThat(cloud.calls()).hasSize(1000);
    }
}
