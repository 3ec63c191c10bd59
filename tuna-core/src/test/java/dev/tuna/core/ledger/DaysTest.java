package dev.tuna.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.CostReport;
import dev.tuna.api.Tier;
import dev.tuna.spi.LedgerEntry;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class DaysTest {

    private static final LocalDate MONDAY = LocalDate.parse("2026-03-02");
    private static final BilledBackend REPLICA = new BilledBackend("d", Tier.SPOT, "local-spot", "replica-1");
    private static final BilledBackend ENDPOINT = new BilledBackend("d", Tier.SERVERLESS, "local", "local");

    private static LedgerEntry entry(BilledBackend who, String from, String to, long seconds, long price) {
        return who.entry(
                Instant.parse(from),
                Instant.parse(to),
                Duration.ofSeconds(seconds),
                price < 0 ? OptionalLong.empty() : OptionalLong.of(price),
                false);
    }

    private static CostReport.Day day(int offset, Tier tier, Duration billed, String usd) {
        return new CostReport.Day(
                MONDAY.plusDays(offset),
                tier,
                billed,
                usd.isEmpty() ? Optional.empty() : Optional.of(new BigDecimal(usd)));
    }

    @Test
    @DisplayName("M-09: costs by day and tier; what spans midnight is divided exactly")
    void whatSpansMidnightIsDividedExactly() {
        Days days = Days.NONE.plus(List.of(
                entry(REPLICA, "2026-03-02T22:00:00Z", "2026-03-04T01:00:00Z", 27 * 3600, 240_000),
                entry(ENDPOINT, "2026-03-02T23:30:00Z", "2026-03-03T00:30:00Z", 600, 1_100_000),
                entry(REPLICA, "2026-03-03T10:00:00Z", "2026-03-03T11:00:00Z", 3600, -1)));
        assertThat(days.lines())
                .containsExactly(
                        day(0, Tier.SERVERLESS, Duration.ofMinutes(5), "0.091666"),
                        day(0, Tier.SPOT, Duration.ofHours(2), "0.480000"),
                        day(1, Tier.SERVERLESS, Duration.ofMinutes(5), "0.091667"),
                        day(1, Tier.SPOT, Duration.ofHours(24), "5.760000"),
                        day(1, Tier.SPOT, Duration.ofHours(1), ""),
                        day(2, Tier.SPOT, Duration.ofHours(1), "0.240000"));
    }

    @Test
    void aSpanThatEndsAtMidnightIsOneDaysAlone() {
        assertThat(Days.NONE
                        .plus(List.of(
                                entry(REPLICA, "2026-03-02T23:00:00Z", "2026-03-03T00:00:00Z", 3600, 240_000),
                                entry(REPLICA, "2026-03-03T00:00:00Z", "2026-03-03T00:00:00Z", 60, 240_000)))
                        .lines())
                .containsExactly(
                        day(0, Tier.SPOT, Duration.ofHours(1), "0.240000"),
                        day(1, Tier.SPOT, Duration.ofMinutes(1), "0.004000"));
    }

    @Test
    void theDaysAddUpToTheEntriesToTheMicrodollarAndTheNanosecond() {
        long seed = new Random().nextLong();
        var random = new Random(seed);
        for (int round = 0; round < 300; round++) {
            var entries = new ArrayList<LedgerEntry>();
            for (int i = 0; i < 20; i++) {
                Instant from = Instant.parse("2026-03-02T00:00:00Z").plusNanos((long) (random.nextDouble() * 4e14));
                Instant to = from.plusNanos((long) (random.nextDouble() * 4e14));
                entries.add((random.nextBoolean() ? REPLICA : ENDPOINT)
                        .entry(
                                from,
                                to,
                                Duration.ofNanos((long) (random.nextDouble() * 5e14)),
                                OptionalLong.of(random.nextInt(10_000_000)),
                                false));
            }
            List<CostReport.Day> lines = Days.NONE.plus(entries).lines();
            assertThat(lines.stream().map(line -> line.usd().orElseThrow()).reduce(BigDecimal.ZERO, BigDecimal::add))
                    .as("seed %d, round %d", seed, round)
                    .isEqualByComparingTo(Money.usd(entries.stream()
                            .mapToLong(entry -> entry.microUsd().orElseThrow())
                            .sum()));
            assertThat(lines.stream().map(CostReport.Day::billed).reduce(Duration.ZERO, Duration::plus))
                    .as("seed %d, round %d", seed, round)
                    .isEqualTo(entries.stream().map(LedgerEntry::billed).reduce(Duration.ZERO, Duration::plus));
        }
    }
}
