package dev.tuna.core.parity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.CostReport;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentStatus.BackendStatus;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SpotState;
import dev.tuna.api.Tier;
import dev.tuna.core.ForwardingServerless;
import dev.tuna.core.Simulation;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessSpec;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The checklist's rows about the bill, the fallback's capacity and the flags that cost money, on virtual time. */
class MoneyParityTest {

    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final Simulation world = new Simulation(Simulation.rememberingAll());

    @AfterEach
    void close() {
        world.close();
    }

    private boolean spotServes(Deployment deployment) {
        return world.until(() -> deployment.status().spotState() == SpotState.READY);
    }

    private static long ready(Deployment deployment, Tier tier) {
        return deployment.status().backends().stream()
                .filter(backend -> backend.tier() == tier && backend.phase() == BackendPhase.READY)
                .count();
    }

    @Test
    @DisplayName("M-03: serverless is billed by its containers' time, also when no request ever reached spot")
    void serverlessIsBilledThoughNoRequestReachedSpot() {
        Deployment chat =
                world.start().deploy(Simulation.chat().serverlessOnly(true).build());
        world.traffic("chat", MINUTE, Duration.ofSeconds(2), SECOND);
        world.pass(Duration.ofMinutes(20));
        // From the first request to the last, at 0:59, and a minute until the container stops: 119 s x 1.10.
        assertThat(Simulation.billed(chat.cost(), Tier.SERVERLESS))
                .isCloseTo(new BigDecimal("0.0364"), Offset.offset(new BigDecimal("0.001")));
        assertThat(chat.cost().usdPerHourNow()).isZero();
    }

    @Test
    @DisplayName(
            "M-03: where the cloud decides how long an idle container stays, the bill reckons with that, also after a restart")
    void aCloudMayHaveAnIdleWindowOfItsOwn() {
        world.serverless = new ForwardingServerless(world.serverless) {
            @Override
            public ServerlessPlan plan(ServerlessSpec spec) {
                return super.plan(spec).withIdleWindow(Duration.ofMinutes(15));
            }

            @Override
            public ServerlessObservation observe(ResourceRef resource) {
                ServerlessObservation seen = super.observe(resource);
                return new ServerlessObservation(
                        seen.phase(),
                        seen.detail(),
                        seen.address(),
                        OptionalInt.empty(),
                        Optional.empty(),
                        seen.usdPerHour());
            }
        };
        world.start().deploy(Simulation.chat().serverlessOnly(true).build());
        world.traffic("chat", MINUTE, Duration.ofSeconds(2), SECOND);
        world.pass(Duration.ofMinutes(5));
        Deployment chat = world.restart().deployment("chat").orElseThrow();
        world.pass(Duration.ofMinutes(40));
        CostReport bill = chat.cost();
        // From the first request, or the readiness request shortly before, to 15 minutes after the last: 16 min x 1.10.
        assertThat(Simulation.billed(bill, Tier.SERVERLESS)).isBetween(new BigDecimal("0.29"), new BigDecimal("0.33"));
        assertThat(bill.allServerless().orElseThrow()).isBetween(new BigDecimal("0.29"), new BigDecimal("0.33"));
        assertThat(bill.lines()).allMatch(CostReport.Line::estimated);
    }

    @Test
    @DisplayName("M-04: each replica is billed by itself, boot and idle time too, while they overlap")
    void everyReplicaIsBilledFromLaunchToEnd() {
        var two = ScalingPolicy.Spot.builder().minReplicas(2).maxReplicas(2).build();
        Deployment chat = world.start()
                .deploy(Simulation.chat()
                        .scaling(ScalingPolicy.DEFAULT.withSpot(two))
                        .build());
        world.pass(Duration.ofHours(1));
        assertThat(Simulation.billed(chat.cost(), Tier.SPOT)).isEqualByComparingTo("0.48");
        assertThat(chat.cost().usdPerHourNow()).isEqualByComparingTo("0.48");
    }

    @Test
    @DisplayName("M-05: the router is part of the host, nothing is rented for it")
    void onlyBackendsAreOnTheBill() {
        Deployment chat = world.start().deploy(Simulation.chat().build());
        assertThat(spotServes(chat)).isTrue();
        assertThat(chat.cost().lines())
                .extracting(CostReport.Line::tier)
                .containsExactlyInAnyOrder(Tier.SERVERLESS, Tier.SPOT);
    }

    @Test
    @DisplayName("M-06, M-07: what the same traffic would have cost is never flattered")
    void aDeploymentThatWasDearerThanServerlessSaysSo() {
        Deployment chat =
                world.start().deploy(Simulation.chat().noScaleToZero(true).build());
        world.pass(Duration.ofHours(5));
        CostReport bill = chat.cost();
        // A replica and a worker for nobody: 5 h x (0.24 + 1.10); serverless alone would have had the worker only.
        assertThat(bill.total()).isCloseTo(new BigDecimal("6.70"), Offset.offset(new BigDecimal("0.01")));
        assertThat(bill.allServerless().orElseThrow())
                .isCloseTo(new BigDecimal("5.50"), Offset.offset(new BigDecimal("0.01")));
        assertThat(bill.allOnDemand().orElseThrow())
                .isCloseTo(new BigDecimal("4.00"), Offset.offset(new BigDecimal("0.01")));
    }

    @Test
    @DisplayName(
            "M-08: serverless alone: its rate, its uptime and a bill from the first revision on, also after a redeploy")
    void theBillOfServerlessAloneBeginsWithTheFirstRevision() {
        var request = Simulation.chat().serverlessOnly(true).noScaleToZero(true);
        Deployment chat = world.start().deploy(request.build());
        assertThat(world.until(() -> chat.ready().isDone())).isTrue();
        Instant created = chat.status().createdAt();
        world.pass(Duration.ofHours(1));
        assertThat(chat.cost().usdPerHourNow()).isEqualByComparingTo("1.10");
        Deployment again = world.tuna.redeploy(request.maxModelLen(8192).build());
        assertThat(world.until(again.rolled()::isDone)).isTrue();
        world.pass(Duration.ofHours(1));
        CostReport bill = again.cost();
        assertThat(again.status().createdAt()).isEqualTo(created);
        assertThat(bill.from()).isEqualTo(created);
        assertThat(bill.usdPerHourNow()).isEqualByComparingTo("1.10");
        // Both revisions are on it: one worker for two hours and what the change took.
        assertThat(bill.lines()).hasSize(2).allMatch(line -> line.tier() == Tier.SERVERLESS);
        assertThat(bill.total()).isBetween(new BigDecimal("2.19"), new BigDecimal("2.30"));
    }

    @Test
    @DisplayName(
            "M-01: with the bill there is the GPU, who bills, since when, and how many requests each tier answered")
    void theHeaderOfTheBillIsThere() {
        Deployment chat = world.start().deploy(Simulation.chat().build());
        Instant asked = world.time.instant();
        world.gateway.request("chat", SECOND);
        assertThat(spotServes(chat)).isTrue();
        world.traffic("chat", Duration.ofSeconds(30), Duration.ofSeconds(10), SECOND);
        world.pass(Duration.ofHours(1));
        CostReport bill = chat.cost();
        assertThat(bill.from()).isEqualTo(asked);
        assertThat(bill.to()).isEqualTo(world.time.instant());
        assertThat(bill.lines()).extracting(CostReport.Line::provider).containsExactlyInAnyOrder("local", "local-spot");
        assertThat(chat.request().gpu()).isEqualTo("L4");
        assertThat(chat.status().traffic().requests()).isEqualTo(4);
        assertThat(chat.status().traffic().byTier()).isEqualTo(Map.of(Tier.SERVERLESS, 1L, Tier.SPOT, 3L));
    }

    @Test
    @DisplayName("M-01, M-09: traffic and costs survive a restart, and the destruction")
    void historySurvives() {
        Deployment chat = world.start().deploy(Simulation.chat().build());
        assertThat(spotServes(chat)).isTrue();
        world.traffic("chat", Duration.ofMinutes(10), Duration.ofSeconds(5), SECOND);
        assertThat(world.until(chat.destroy()::isDone)).isTrue();
        CostReport last = chat.cost();
        world.restart();
        assertThat(world.tuna.history(10))
                .singleElement()
                .satisfies(status -> assertThat(status.traffic().succeeded()).isGreaterThanOrEqualTo(119));
        assertThat(world.tuna.cost("chat").lines()).isEqualTo(last.lines());
        assertThat(world.tuna.cost("chat").days()).isEqualTo(last.days());
        assertThat(world.tuna.cost("chat").total()).isEqualByComparingTo(last.total());
    }

    @Test
    @DisplayName("F-11: only serverless boots fast; replicas, which carry the load for hours, run at full speed")
    void onlyServerlessTakesShortcuts() {
        var plan = world.start().plan(Simulation.chat().build());
        plan.steps()
                .forEach(step -> assertThat(step.body())
                        .as(step.tier().name())
                        .contains("\"fastBoot\":" + (step.tier() == Tier.SERVERLESS)));
    }

    @Test
    @DisplayName("F-12: without scale to zero spot still answers after hours of silence")
    void spotAnswersAfterHoursOfSilence() {
        Deployment chat =
                world.start().deploy(Simulation.chat().noScaleToZero(true).build());
        world.pass(Duration.ofHours(6));
        world.gateway.request("chat", SECOND);
        world.pass(Duration.ofSeconds(2));
        assertThat(chat.status().traffic().byTier()).isEqualTo(Map.of(Tier.SPOT, 1L));
    }

    @Test
    @DisplayName("P-60: when the fleet is lost, serverless grows as wide as the fleet was")
    void serverlessCarriesTheLoadOfTheWholeFleet() {
        var policy = new ScalingPolicy(
                ScalingPolicy.Spot.builder().minReplicas(4).maxReplicas(4).build(),
                ScalingPolicy.Serverless.builder().concurrency(8).build());
        Deployment chat = world.start().deploy(Simulation.chat().scaling(policy).build());
        assertThat(world.until(() -> ready(chat, Tier.SPOT) == 4)).isTrue();
        world.running().forEach(replica -> world.cloud.lose(replica.id()));
        for (int i = 0; i < 32; i++) {
            world.gateway.request("chat", MINUTE);
        }
        world.pass(Duration.ofSeconds(50));
        assertThat(world.cloud.snapshot().endpoints().get(0).containers()).hasSize(4);
        assertThat(world.until(() -> chat.status().traffic().succeeded() == 32)).isTrue();
    }

    @Test
    @DisplayName(
            "P-61: every provider that was named has an endpoint, in the order of the request; the next one catches")
    void severalServerlessProvidersStandInForEachOther() {
        world.others.add(world.cloud.serverless("other"));
        Deployment chat = world.start()
                .deploy(Simulation.chat().serverlessProviders("other", "local").build());
        assertThat(world.until(() -> ready(chat, Tier.SERVERLESS) == 2)).isTrue();
        assertThat(chat.status().backends())
                .filteredOn(backend -> backend.tier() == Tier.SERVERLESS)
                .extracting(BackendStatus::provider)
                .containsExactlyInAnyOrder("other", "local");
        assertThat(world.until(() -> world.gateway.route("chat").serverless().size() == 2))
                .isTrue();
        assertThat(world.gateway.route("chat").serverless())
                .extracting(backend -> backend.id())
                .containsExactly("other", "local-2");
    }
}
