package dev.tuna.core.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.CostReport;
import dev.tuna.api.Tier;
import dev.tuna.core.budget.Outlay;
import dev.tuna.core.budget.Spent;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What was spent elsewhere, as time passes. */
class PurseTest {

    private static final Instant NOW = Instant.parse("2026-03-30T12:00:00Z");
    private static final Duration HOLDS = Duration.ofMinutes(15);

    private final Purse purse = new Purse(HOLDS);

    private static Outlay outlay(String deployment, String usd) {
        var day = new CostReport.Day(
                NOW.atOffset(ZoneOffset.UTC).toLocalDate(),
                Tier.SPOT,
                Duration.ofHours(1),
                Optional.of(new BigDecimal(usd)));
        return new Outlay(deployment, List.of(day), new BigDecimal("0.25"), true);
    }

    private Spent after(Duration passed, Outlay... here) {
        return purse.all(List.of(here), NOW.plus(passed));
    }

    @Test
    void whatRunsElsewhereIsForgottenWhenNobodyTellsAndWhatWasSpentWhenItsTimeIsOver() {
        purse.hear(Map.of("vm", new Treasury.Told(NOW, List.of(outlay("a", "3")))));

        assertThat(after(Duration.ofMinutes(14)).perHourNow()).isEqualByComparingTo("0.25");
        assertThat(after(Duration.ofMinutes(15)).perHourNow()).isZero();
        assertThat(after(Duration.ofMinutes(15)).today()).isEqualByComparingTo("3");
        assertThat(after(Duration.ofDays(1)).today()).isZero();
        assertThat(after(Duration.ofDays(1)).thisMonth()).isEqualByComparingTo("3");
        assertThat(after(Duration.ofDays(2)).thisMonth()).isZero();
    }

    @Test
    void aDeploymentThatBothKnowCountsAsItIsKnownHere() {
        purse.hear(Map.of("vm", new Treasury.Told(NOW, List.of(outlay("a", "3"), outlay("b", "4")))));
        purse.over("b", outlay("b", "1").days());

        Spent all = after(Duration.ZERO, outlay("a", "5"));

        assertThat(all.today()).isEqualByComparingTo("6");
        assertThat(all.perHourNow()).isEqualByComparingTo("0.25");
        assertThat(purse.here(List.of(outlay("a", "5")), NOW))
                .extracting(Outlay::deployment)
                .containsExactly("a", "b");
    }

    @Test
    void aMachineIsToldWhatWasSpentHereAndOnOthers() {
        purse.hear(Map.of(
                "one", new Treasury.Told(NOW, List.of(outlay("a", "1"))),
                "two", new Treasury.Told(NOW, List.of(outlay("b", "2")))));

        assertThat(purse.besides("one", List.of(outlay("here", "3"))))
                .extracting(Outlay::deployment)
                .containsExactlyInAnyOrder("b", "here");
    }
}
