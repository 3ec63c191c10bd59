package dev.tuna.core.budget;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.Budget;
import dev.tuna.api.Budget.Action;
import dev.tuna.api.Budget.Period;
import dev.tuna.api.BudgetUse;
import dev.tuna.api.ConfigurationException;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BudgetsTest {

    private static final Instant NOW = Instant.parse("2026-02-27T23:10:00Z");

    private static Spent spent(String perHour, String today, String month) {
        return new Spent(new BigDecimal(perHour), new BigDecimal(today), new BigDecimal(month), Set.of());
    }

    private static Budget all(Action action) {
        return Budget.builder()
                .usdPerHour(BigDecimal.ONE)
                .usdPerDay(BigDecimal.TEN)
                .usdPerMonth(new BigDecimal("100"))
                .action(action)
                .build();
    }

    private static List<BudgetUse> uses(Spent spent) {
        return Budgets.look(all(Action.WARN), false, spent, RateMemory.NONE, NOW)
                .uses();
    }

    @ParameterizedTest(name = "{0} an hour, {1} today, {2} this month: {3} is hit until {4}")
    @CsvSource({
        "1.00, 9.99, 99.99, , ",
        "1.000001, 0, 0, HOUR, 2026-02-28T00:00:00Z",
        "0, 10, 10, DAY, 2026-02-28T00:00:00Z",
        "0, 0, 100, MONTH, 2026-03-01T00:00:00Z"
    })
    void aLimitIsHitUntilItsPeriodEnds(String perHour, String today, String month, Period hit, Instant until) {
        assertThat(uses(spent(perHour, today, month)))
                .extracting(BudgetUse::period)
                .containsExactly(Period.HOUR, Period.DAY, Period.MONTH);
        assertThat(uses(spent(perHour, today, month)))
                .filteredOn(use -> use.hitUntil().isPresent())
                .map(use -> use.period() + " " + use.hitUntil().orElseThrow())
                .isEqualTo(hit == null ? List.of() : List.of(hit + " " + until));
    }

    @Test
    void aLimitPerHourStaysHitAfterTheCostFellUntilTheHourIsOverOrItIsRaised() {
        Budgets.Standing first =
                Budgets.look(all(Action.SERVERLESS_ONLY), true, spent("2", "0", "0"), RateMemory.NONE, NOW);
        Budgets.Standing second = Budgets.look(
                all(Action.SERVERLESS_ONLY), true, spent("0", "0", "0"), first.memory(), NOW.plusSeconds(60));
        assertThat(second.uses().get(0).hitUntil()).isPresent();
        Budgets.Standing later = Budgets.look(
                all(Action.SERVERLESS_ONLY),
                true,
                spent("0", "0", "0"),
                second.memory(),
                NOW.plus(Duration.ofHours(1)));
        assertThat(later.uses().get(0).hitUntil()).isEmpty();
        Budget raised = Budget.builder().usdPerHour(BigDecimal.TEN).build();
        assertThat(Budgets.look(raised, true, spent("0", "0", "0"), second.memory(), NOW.plusSeconds(60))
                        .uses()
                        .get(0)
                        .hitUntil())
                .isEmpty();
    }

    @Test
    void withoutLimitsThereIsNothingToLookAt() {
        assertThat(Budgets.look(Budget.NONE, false, spent("9", "9", "9"), RateMemory.NONE, NOW)
                        .uses())
                .isEmpty();
        assertThat(Restraint.of(List.of(), new Rented(3, 0, Optional.empty(), BigDecimal.ZERO), Restraint.NONE))
                .isEqualTo(Restraint.NONE);
    }

    @Test
    void aLimitThatIsNotAboveZeroIsRefusedByName() {
        assertThatThrownBy(() -> Budget.builder()
                        .usdPerDay(BigDecimal.ZERO)
                        .usdPerMonth(new BigDecimal("-1"))
                        .build())
                .isInstanceOfSatisfying(
                        ConfigurationException.class,
                        e -> assertThat(e.problems()).hasSize(2));
    }

    private static Restraint restraint(Budget budget, Spent spent, Rented rented, Restraint before) {
        return Restraint.of(
                Budgets.look(budget, false, spent, RateMemory.NONE, NOW).uses(), rented, before);
    }

    @ParameterizedTest(name = "{0}: at the most {1} of 3 replicas, ends them: {2}, refuses: {3}")
    @CsvSource({
        "WARN, 2147483647, false, false",
        "STOP_SCALING, 3, false, false",
        "SERVERLESS_ONLY, 0, true, false",
        "REFUSE, 0, true, true"
    })
    void everyActionSaysWhatIsAllowed(Action action, int most, boolean ends, boolean refuses) {
        Budget budget =
                Budget.builder().usdPerDay(BigDecimal.TEN).action(action).build();
        Restraint restraint = restraint(
                budget,
                spent("5", "10", "10"),
                new Rented(3, 0, Optional.of(BigDecimal.ONE), BigDecimal.ZERO),
                Restraint.NONE);
        assertThat(restraint.mostReplicas()).isEqualTo(most);
        assertThat(restraint.endsReplicas()).isEqualTo(ends);
        assertThat(restraint.refusal().isPresent()).isEqualTo(refuses);
        assertThat(restraint.reason()).contains("the budget of 10 USD a day is spent", "2026-02-28T00:00:00Z");
    }

    @Test
    void scalingThatWasStoppedReplacesWhatIsLost() {
        Budget budget = Budget.builder()
                .usdPerDay(BigDecimal.TEN)
                .action(Action.STOP_SCALING)
                .build();
        Restraint first = restraint(
                budget,
                spent("3", "10", "10"),
                new Rented(3, 0, Optional.of(BigDecimal.ONE), BigDecimal.ZERO),
                Restraint.NONE);
        Restraint afterALoss = restraint(
                budget, spent("2", "11", "11"), new Rented(2, 0, Optional.of(BigDecimal.ONE), BigDecimal.ZERO), first);
        assertThat(afterALoss.mostReplicas()).isEqualTo(3);
    }

    @ParameterizedTest(name = "{0} replicas, {1} not yet priced, price {2}: at the most {3} for 1 USD an hour")
    @CsvSource({"0, 0, , 1", "1, 1, , 1", "1, 0, 0.24, 4", "3, 2, 0.24, 4", "4, 0, 0.24, 4", "1, 0, 1.01, 0"})
    void underALimitPerHourNoReplicaIsLaunchedThatWouldExceedIt(int wanted, int unpriced, BigDecimal price, int most) {
        Budget.Builder hourly = Budget.builder().usdPerHour(BigDecimal.ONE);
        Rented rented = new Rented(wanted, unpriced, Optional.ofNullable(price), BigDecimal.ZERO);
        Restraint restraint =
                restraint(hourly.action(Action.STOP_SCALING).build(), spent("0.9", "0", "0"), rented, Restraint.NONE);
        assertThat(restraint.action()).isEmpty();
        assertThat(restraint.mostReplicas()).isEqualTo(most);
        assertThat(restraint(hourly.action(Action.WARN).build(), spent("0.9", "0", "0"), rented, Restraint.NONE)
                        .mostReplicas())
                .as("one that only warns holds up nothing")
                .isEqualTo(Integer.MAX_VALUE);
    }

    @Test
    void ofSeveralThatAreHitTheStrictestHolds() {
        BudgetUse mild = new BudgetUse(
                false,
                Period.MONTH,
                BigDecimal.TEN,
                BigDecimal.TEN,
                true,
                Action.WARN,
                Optional.of(NOW.plusSeconds(9)));
        BudgetUse strict = new BudgetUse(
                true, Period.DAY, BigDecimal.TEN, BigDecimal.TEN, true, Action.REFUSE, Optional.of(NOW.plusSeconds(1)));
        Restraint restraint = Restraint.of(
                List.of(mild, strict), new Rented(1, 0, Optional.empty(), BigDecimal.ZERO), Restraint.NONE);
        assertThat(restraint.refusal().orElseThrow()).contains("all deployments together");
    }
}
