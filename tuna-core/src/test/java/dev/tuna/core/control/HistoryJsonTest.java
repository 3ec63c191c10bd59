package dev.tuna.core.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Tier;
import dev.tuna.core.placement.PoolHistory;
import dev.tuna.spi.CapacityPool;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is known of pools outlives the process that learned it. */
class HistoryJsonTest {

    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final CapacityPool A = new CapacityPool("aws", "us-east-1", "us-east-1a", "g6.xlarge", Tier.SPOT);
    private static final CapacityPool B = new CapacityPool("aws", "us-west-2", "us-west-2b", "g5.xlarge", Tier.SPOT);

    private static PoolHistory lived() {
        return PoolHistory.NONE
                .lost(A, Duration.ofHours(3), NOW.minusSeconds(60))
                .atRisk(A, NOW.minusSeconds(50))
                .kept(B, Duration.ofHours(7), NOW.minusSeconds(30))
                .dry(List.of(B), NOW.minusSeconds(5))
                .barred(List.of(A), NOW.plusSeconds(600), NOW);
    }

    @Test
    void whatIsWrittenReadsBackEqual() {
        assertThat(HistoryJson.read(HistoryJson.write(lived()), NOW)).isEqualTo(lived());
    }

    @Test
    void aRecordOfAnEarlierVersionKnowsNothing() {
        assertThat(HistoryJson.read(PlanJson.MAPPER.createObjectNode().path("history"), NOW))
                .isEqualTo(PoolHistory.NONE);
    }

    @Test
    void aClockThatWasSetBackMakesNothingRestForEver() {
        Instant yearBefore = NOW.minus(Duration.ofDays(365));
        PoolHistory read = HistoryJson.read(HistoryJson.write(lived()), yearBefore);
        assertThat(read.rests(A, yearBefore)).isFalse();
        assertThat(read.rests(B, yearBefore)).isFalse();
        assertThat(read.lossesPerHour(A, yearBefore)).isPositive().isFinite();
    }
}
