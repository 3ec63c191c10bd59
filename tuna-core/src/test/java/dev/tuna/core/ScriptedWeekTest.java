package dev.tuna.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.CostReport;
import dev.tuna.api.Deployment;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.Tier;
import dev.tuna.core.control.ControlTimings;
import dev.tuna.spi.LedgerEntry;
import dev.tuna.testkit.cloud.simulated.CloudCall.Operation;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * A week whose bill was worked out by hand: cold starts, scale to zero, price changes, preemptions with and without notice, a
 * restart.
 *
 * <p>Spot costs $0.24 an hour, in zone a $0.30 from noon of day 1; serverless costs $1.10, from 08:03 of day 5 $1.50. A
 * replica takes 5 minutes to boot, a container 40 seconds. Traffic from 08:00 to 18:00 is one request a minute, of 20
 * seconds; a replica is given up 5 minutes after the last minute in which there was any. Each time that spot is away,
 * serverless serves the five requests until it is back: 5 x 60 s, and the fifth one's 20 s, since a container that has had
 * 60 s of rest at the next request just goes on.
 */
class ScriptedWeekTest {

    private static final Duration HOUR = Duration.ofHours(1);
    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final Duration SERVICE = Duration.ofSeconds(20);
    private static final Offset<BigDecimal> HALF_A_CENT = Offset.offset(new BigDecimal("0.005"));

    /** Backend, billed time and money by hand. Times in the field end at the next look, which is at most 15 s away. */
    private static final Map<String, String> BY_HAND = Map.of(
            // day 1, 00:00 to 00:10: boots, is ready at 00:05, nobody comes for 5 minutes: 1/6 h x 0.24
            "replica-1", "0.040",
            // day 1, 08:00 to 12:00 at 0.24 and to 18:05 at 0.30: 4 h x 0.24 + 6 1/12 h x 0.30
            "replica-2", "2.785",
            // day 2, 08:00 to 10:00, lost: 2 h x 0.24 (zone b, the cheaper one now)
            "replica-3", "0.480",
            // day 2, 10:00 to 18:05 in zone a, since zone b has just taken one: 8 1/12 h x 0.30
            "replica-4", "2.425",
            // day 3, 08:00 to 12:02, when its cloud takes it, two minutes after the notice: 4 1/30 h x 0.24
            "replica-5", "0.968",
            // day 3, 12:00 to 18:05, beside the one that drains, in zone a, since zone b takes one: 6 1/12 h x 0.30
            "replica-6", "1.825",
            // day 4, 08:00 to 18:05, through a restart: 10 1/12 h x 0.24
            "replica-7", "2.420",
            // day 5, 08:00 to 18:05: 10 1/12 h x 0.24
            "replica-8", "2.420",
            // The readiness request: 40 s + 0.1 s + 60 s x 1.10 = 0.031.
            // Spot is away at 08:00 on 5 days and at 2 preemptions: 6 times 5:20 x 1.10 = 0.587.
            // At the preemption with notice a container is woken a minute before a request needs it: 60 s x 1.10 =
            // 0.018.
            // The request in the moment of the restart: 40 s + 20 s + 60 s x 1.10 = 0.037.
            // Day 5: 3:00 x 1.10 + 2:20 x 1.50 = 0.055 + 0.058.
            "local", "0.785");

    @Test
    @DisplayName("M-02 to M-05, M-09: a week's bill is the one worked out by hand")
    void theBillOfAWeekIsTheOneWorkedOutByHand() {
        try (var world = new Simulation(Simulation.rememberingAll())) {
            world.timings = ControlTimings.DEFAULT.toBuilder()
                    .observeInterval(Duration.ofSeconds(15))
                    .build();
            live(world);
            CostReport bill = world.tuna.cost("chat");
            assertThat(bill.complete()).isTrue();
            assertThat(bill.lines())
                    .extracting(CostReport.Line::backend)
                    .containsExactlyInAnyOrderElementsOf(BY_HAND.keySet());
            bill.lines()
                    .forEach(line -> assertThat(line.usd().orElseThrow())
                            .as(line.backend())
                            .isCloseTo(new BigDecimal(BY_HAND.get(line.backend())), HALF_A_CENT));
            assertThat(bill.total()).isCloseTo(new BigDecimal("14.148"), Offset.offset(new BigDecimal("0.01")));

            List<LedgerEntry> ledger =
                    world.store.ledger(world.store.ended(1).get(0).id());
            assertThat(ledger).allSatisfy(entry -> assertThat(entry.microUsd()).hasValue(roundedOnce(entry)));
            assertThat(bill.total())
                    .isEqualByComparingTo(BigDecimal.valueOf(
                            ledger.stream()
                                    .mapToLong(e -> e.microUsd().orElseThrow())
                                    .sum(),
                            6));
            Books.assertBilledAsMetered(world, bill, ledger.size(), "week");
            assertDays(bill);
        }
    }

    private static void live(Simulation world) {
        ScalingPolicy.Spot policy = ScalingPolicy.Spot.builder()
                .keepLast(ScalingPolicy.Spot.KeepLast.WITH_TRAFFIC)
                .build();
        world.start()
                .deploy(Simulation.chat()
                        .scaling(ScalingPolicy.DEFAULT.withSpot(policy))
                        .build());
        world.pass(HOUR.multipliedBy(8));
        day(
                world,
                4,
                () -> price(
                        world,
                        Operation.OBSERVE,
                        () -> world.cloud.setPrice("local-1a/l4-1/SPOT", new BigDecimal("0.30"))));
        day(world, 2, () -> world.cloud.lose(world.running().get(0).id()));
        day(world, 4, () -> world.cloud.interrupt(world.running().get(0).id(), Duration.ofMinutes(2)));
        day(world, 4, world::restart);
        world.traffic("chat", MINUTE.multipliedBy(3), MINUTE, SERVICE);
        price(world, Operation.READ_ENDPOINT, () -> world.cloud.setServerlessPrice("L4", new BigDecimal("1.50")));
        world.traffic("chat", MINUTE.multipliedBy(597), MINUTE, SERVICE);
        world.pass(HOUR.multipliedBy(38));
        Deployment chat = world.tuna.deployment("chat").orElseThrow();
        assertThat(world.until(chat.destroy()::isDone)).isTrue();
    }

    /** From 08:00 to 08:00, with something that happens after some hours. */
    private static void day(Simulation world, int hours, Runnable event) {
        world.traffic("chat", HOUR.multipliedBy(hours), MINUTE, SERVICE);
        event.run();
        world.traffic("chat", HOUR.multipliedBy(10 - hours), MINUTE, SERVICE);
        world.pass(HOUR.multipliedBy(14));
    }

    /** Changes a price at the very moment of the next look, so that nobody can have seen it later than it was. */
    private static void price(Simulation world, Operation look, Runnable change) {
        world.cloud.faults(call -> {
            if (call.operation() == look) {
                change.run();
            }
            return Optional.empty();
        });
    }

    private static long roundedOnce(LedgerEntry entry) {
        BigDecimal hours = BigDecimal.valueOf(entry.billed().toNanos())
                .divide(BigDecimal.valueOf(HOUR.toNanos()), 30, RoundingMode.HALF_UP);
        return hours.multiply(BigDecimal.valueOf(entry.microUsdPerHour().orElseThrow()))
                .setScale(0, RoundingMode.HALF_UP)
                .longValueExact();
    }

    private static void assertDays(CostReport bill) {
        assertThat(Books.sum(bill.days().stream().map(day -> day.usd().orElseThrow())))
                .isEqualByComparingTo(bill.total());
        LocalDate first = LocalDate.parse("2026-01-01");
        String[] spot = {"2.825", "2.905", "2.793", "2.420", "2.420"};
        for (int day = 0; day < spot.length; day++) {
            LocalDate date = first.plusDays(day);
            assertThat(Books.sum(bill.days().stream()
                            .filter(each -> each.day().equals(date) && each.tier() == Tier.SPOT)
                            .map(each -> each.usd().orElseThrow())))
                    .as("spot on %s", date)
                    .isCloseTo(new BigDecimal(spot[day]), HALF_A_CENT);
        }
        assertThat(bill.days()).extracting(CostReport.Day::day).allMatch(day -> day.isBefore(first.plusDays(5)));
    }
}
