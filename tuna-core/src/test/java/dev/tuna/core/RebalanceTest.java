package dev.tuna.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent.Kind;
import dev.tuna.api.DeploymentStatus.BackendStatus;
import dev.tuna.api.GpuUse;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SpotState;
import dev.tuna.api.Tier;
import dev.tuna.testkit.cloud.model.ReplicaView;
import dev.tuna.testkit.cloud.simulated.CloudCall.Operation;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What follows when a cloud recommends to leave a replica, and what replicas tell of themselves, on virtual time. */
class RebalanceTest {

    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final String ZONE_A = "local-1a/l4-1/SPOT";
    private static final String ZONE_B = "local-1b/l4-1/SPOT";

    private final Simulation world = new Simulation(Simulation.rememberingAll());

    @AfterEach
    void close() {
        world.close();
    }

    private Deployment serving(int most) {
        ScalingPolicy policy = ScalingPolicy.DEFAULT.withSpot(
                ScalingPolicy.Spot.builder().maxReplicas(most).build());
        Deployment chat = world.start()
                .deploy(Simulation.chat()
                        .serverlessProviders("local")
                        .scaling(policy)
                        .build());
        assertThat(world.spotServes(chat)).isTrue();
        return chat;
    }

    private ReplicaView only() {
        assertThat(world.running()).hasSize(1);
        return world.running().get(0);
    }

    private void busy(Duration span) {
        world.traffic("chat", span, Duration.ofSeconds(5), SECOND);
    }

    private long launches() {
        return world.cloud.callCount(Operation.LAUNCH);
    }

    @Test
    void aSuccessorElsewhereServesBeforeTheReplicaGoes() {
        Deployment chat = serving(1);
        ReplicaView first = only();
        world.cloud.recommendRebalance(first.id());
        busy(Duration.ofMinutes(4));
        assertThat(world.running()).as("it and its successor, which boots").hasSize(2);
        assertThat(world.gateway.route("chat").replicas())
                .singleElement()
                .satisfies(replica -> assertThat(replica.draining())
                        .as("takes new requests as before")
                        .isFalse());
        assertThat(world.events)
                .filteredOn(event -> event.kind() == Kind.REBALANCE_RECOMMENDATION)
                .hasSize(1);
        assertThat(chat.status().backends())
                .filteredOn(backend -> backend.rebalanceAt().isPresent())
                .hasSize(1);
        assertThat(chat.status().problems()).isEmpty();
        busy(Duration.ofMinutes(5));
        assertThat(only().pool()).isNotEqualTo(first.pool());
        assertThat(chat.status().spotState()).isEqualTo(SpotState.READY);
        busy(Duration.ofHours(3));
        assertThat(launches()).as("that was all").isEqualTo(2);
        assertThat(chat.status().traffic().failed()).isZero();
        assertThat(chat.status().traffic().byTier().getOrDefault(Tier.SERVERLESS, 0L))
                .as("spot served all the time")
                .isZero();
    }

    @Test
    void withoutASuccessorItServesOnAndNobodyIsTroubled() {
        Deployment chat = serving(2);
        world.cloud.setCapacity(ZONE_A, 0);
        world.cloud.setCapacity(ZONE_B, 0);
        ReplicaView first = only();
        long before = launches();
        world.cloud.recommendRebalance(first.id());
        busy(Duration.ofHours(2));
        assertThat(only().id()).isEqualTo(first.id());
        assertThat(launches() - before).as("asked again now and then").isBetween(1L, 12L);
        assertThat(chat.status().problems()).isEmpty();
        assertThat(chat.status().spotState()).isEqualTo(SpotState.READY);
        assertThat(world.happened(Kind.WARNING)).isFalse();
        world.cloud.setCapacity(ZONE_A, 1);
        world.cloud.setCapacity(ZONE_B, 1);
        busy(Duration.ofMinutes(40));
        assertThat(only().id()).as("there is one in the end").isNotEqualTo(first.id());
    }

    @Test
    void whereEveryPoolIsAtRiskTheFleetMovesOnceAnHourAtTheMost() {
        Deployment chat = serving(5);
        Set<String> told = new HashSet<>();
        for (int minute = 0; minute < 12 * 60; minute++) {
            world.running().stream()
                    .filter(replica -> replica.address().isPresent() && told.add(replica.id()))
                    .forEach(replica -> world.cloud.recommendRebalance(replica.id()));
            busy(Duration.ofMinutes(1));
        }
        assertThat(launches()).isBetween(2L, 14L);
        assertThat(chat.status().traffic().failed()).isZero();
        assertThat(chat.status().spotState()).isEqualTo(SpotState.READY);
    }

    @Test
    void aRecommendationAndWhatFollowsOutliveTheController() {
        serving(1);
        world.cloud.recommendRebalance(only().id());
        busy(Duration.ofSeconds(30));
        assertThat(world.running()).hasSize(2);
        world.crash();
        busy(Duration.ofMinutes(10));
        ReplicaView second = only();
        assertThat(launches()).isEqualTo(2);
        world.cloud.recommendRebalance(second.id());
        world.restart();
        busy(Duration.ofMinutes(20));
        assertThat(only().id())
                .as("what took another's place stays for an hour, after a restart too")
                .isEqualTo(second.id());
        assertThat(world.tuna.deployment("chat").orElseThrow().status().spotState())
                .isEqualTo(SpotState.READY);
    }

    @Test
    void aNoticeAfterARecommendationNeedsNoFurtherSuccessor() {
        Deployment chat = serving(1);
        ReplicaView first = only();
        world.cloud.recommendRebalance(first.id());
        busy(Duration.ofSeconds(30));
        world.cloud.interrupt(first.id(), Duration.ofMinutes(2));
        busy(Duration.ofMinutes(20));
        assertThat(launches()).isEqualTo(2);
        assertThat(only().id()).isNotEqualTo(first.id());
        assertThat(chat.status().traffic().failed()).isZero();
    }

    @Test
    void whatTheGpusDoIsShownAsLongAsItIsKnown() {
        var telling = new TellingSpot(world.spot);
        world.spot = telling;
        Deployment chat = serving(1);
        assertThat(chat.status().backends()).allMatch(backend -> backend.gpu().isEmpty());
        telling.gpu = Optional.of(new GpuUse(87, 20_000, 22_888));
        world.pass(Duration.ofMinutes(1));
        assertThat(chat.status().backends())
                .filteredOn(backend -> backend.tier() == Tier.SPOT)
                .extracting(BackendStatus::gpu)
                .containsExactly(telling.gpu);
        telling.gpu = Optional.empty();
        world.pass(Duration.ofMinutes(1));
        assertThat(chat.status().backends()).allMatch(backend -> backend.gpu().isEmpty());
    }
}
