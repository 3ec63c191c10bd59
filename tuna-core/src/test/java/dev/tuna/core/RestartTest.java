package dev.tuna.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.CostReport;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.Tier;
import dev.tuna.spi.ReplicaObservation;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What a process says right after its start, before any cloud has been asked again. */
class RestartTest {

    private final Simulation world = new Simulation();

    @AfterEach
    void close() {
        world.close();
    }

    @Test
    @DisplayName("R-42 M-09: right after a restart the hourly rate counts replicas and always-on workers")
    void theHourlyRateIsRightFromTheStart() {
        Deployment chat =
                world.start().deploy(Simulation.chat().noScaleToZero(true).build());
        assertThat(world.until(() -> chat.status().backends().size() == 2
                        && chat.status().backends().stream().allMatch(each -> each.phase() == BackendPhase.READY)))
                .isTrue();
        world.pass(Duration.ofMinutes(5));
        BigDecimal before = chat.cost().usdPerHourNow();
        BigDecimal total = chat.cost().total();
        assertThat(before).as("one L4 on spot and one serverless worker").isPositive();

        Deployment again = world.restart().deployment("chat").orElseThrow();

        assertThat(again.cost().usdPerHourNow()).isEqualByComparingTo(before);
        assertThat(again.cost().total())
                .as("what a checkpoint may be behind")
                .isBetween(total.subtract(aMinuteOf(before)), total);
        assertThat(again.status().backends()).hasSize(2);
    }

    @Test
    @DisplayName(
            "R-42: a crash loses at most what came since the last checkpoint, and the books nothing of rented machines")
    void aCrashLosesAtMostACheckpoint() {
        Deployment chat = world.start().deploy(Simulation.chat().build());
        assertThat(world.until(() -> chat.status().backends().stream()
                        .anyMatch(each -> each.provider().equals("local-spot") && each.phase() == BackendPhase.READY)))
                .isTrue();
        Duration checkpoint = world.timings.checkpointInterval();
        world.traffic("chat", checkpoint.multipliedBy(3), Duration.ofSeconds(1), Duration.ofMillis(100));
        long before = chat.status().traffic().requests();
        CostReport bill = chat.cost();

        Deployment again = world.crash().deployment("chat").orElseThrow();

        assertThat(before - again.status().traffic().requests())
                .as("requests forgotten, at one a second")
                .isBetween(0L, checkpoint.toSeconds() + 1);
        assertThat(Simulation.billed(again.cost(), Tier.SPOT)).isEqualByComparingTo(Simulation.billed(bill, Tier.SPOT));
        assertThat(again.cost().total())
                .isBetween(bill.total().subtract(aMinuteOf(bill.usdPerHourNow())), bill.total());
    }

    @Test
    void aReplicaThatEndedWhileNobodyWatchedIsBilledNoLongerThanItWaitsForAController() {
        var telling = new TellingSpot(world.spot);
        world.spot = telling;
        Deployment chat = world.start().deploy(Simulation.chat().build());
        assertThat(world.spotServes(chat)).isTrue();
        world.pass(Duration.ofMinutes(3));
        Duration watched = spot(chat.cost()).billed();
        world.tuna.close();
        // As EC2 does an hour after a machine has ended: nothing is left of it.
        telling.change = seen -> ReplicaObservation.gone();
        world.pass(Duration.ofHours(60));

        Deployment again = world.restart().deployment("chat").orElseThrow();
        assertThat(world.until(() -> world.happened(DeploymentEvent.Kind.BACKEND_GONE)))
                .isTrue();

        CostReport.Line line = spot(again.cost());
        assertThat(line.estimated()).isTrue();
        assertThat(line.billed()).isBetween(watched, watched.plus(Duration.ofMinutes(17)));
    }

    private static CostReport.Line spot(CostReport bill) {
        return bill.lines().stream()
                .filter(line -> line.backend().equals("replica-1"))
                .findFirst()
                .orElseThrow();
    }

    private static BigDecimal aMinuteOf(BigDecimal usdPerHour) {
        return usdPerHour.divide(BigDecimal.valueOf(60), RoundingMode.UP);
    }
}
