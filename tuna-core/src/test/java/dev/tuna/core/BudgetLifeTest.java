package dev.tuna.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.Budget;
import dev.tuna.api.Budget.Action;
import dev.tuna.api.BudgetReport;
import dev.tuna.api.BudgetUse;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.DeploymentEvent.Kind;
import dev.tuna.api.RollReport;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SpotState;
import dev.tuna.api.StoreException;
import dev.tuna.api.Tier;
import dev.tuna.core.control.HostMachine;
import dev.tuna.testkit.cloud.simulated.CloudCall;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What limits of money do to deployments, on virtual time. */
class BudgetLifeTest {

    private static final Duration SECOND = Duration.ofSeconds(1);

    private final Simulation world = new Simulation();

    @AfterEach
    void close() {
        world.close();
    }

    private static Budget aDay(String usd, Action action) {
        return Budget.builder().usdPerDay(new BigDecimal(usd)).action(action).build();
    }

    private static DeployRequest chat(Budget budget) {
        return Simulation.chat().serverlessProviders("local").budget(budget).build();
    }

    private Deployment serving(Budget budget) {
        Deployment chat = world.start().deploy(chat(budget));
        assertThat(world.spotServes(chat)).isTrue();
        return chat;
    }

    /** Steady traffic until a condition holds; true if it came to hold. */
    private boolean trafficUntil(java.util.function.BooleanSupplier condition) {
        for (int i = 0; i < 7200 && !condition.getAsBoolean(); i++) {
            world.gateway.request("chat", SECOND.multipliedBy(3));
            world.pass(SECOND);
        }
        return condition.getAsBoolean();
    }

    private DeploymentEvent budgetEvent() {
        return world.events.stream()
                .filter(event -> event.kind() == Kind.BUDGET)
                .findFirst()
                .orElseThrow();
    }

    private static BigDecimal spentToday(Deployment deployment, Instant now) {
        return deployment.cost().days().stream()
                .filter(day ->
                        day.day().equals(now.atOffset(java.time.ZoneOffset.UTC).toLocalDate()))
                .flatMap(day -> day.usd().stream())
                .reduce(BigDecimal.ZERO, BigDecimal::add);
    }

    @Test
    void aBudgetHitUnderLoadActsWithinOneControlCycleAndNoRequestFails() {
        BigDecimal limit = new BigDecimal("0.15");
        Deployment chat = serving(aDay("0.15", Action.SERVERLESS_ONLY));
        assertThat(trafficUntil(() -> spentToday(chat, world.time.instant()).compareTo(limit) >= 0))
                .isTrue();
        Instant hit = world.time.instant();
        assertThat(trafficUntil(() -> world.happened(Kind.BUDGET))).isTrue();
        assertThat(Duration.between(hit, budgetEvent().at())).isLessThanOrEqualTo(world.timings.observeInterval());
        assertThat(world.gateway.route("chat").replicas()).allMatch(replica -> replica.draining());

        assertThat(trafficUntil(() -> world.running().isEmpty())).isTrue();
        for (int i = 0; i < 300; i++) {
            world.gateway.request("chat", SECOND);
            world.pass(SECOND);
        }
        world.pass(Duration.ofMinutes(1));
        assertThat(world.running()).isEmpty();
        assertThat(chat.status().traffic().failed()).isZero();
        assertThat(chat.status().traffic().rejected()).isZero();
        assertThat(chat.status().traffic().succeeded())
                .isEqualTo(chat.status().traffic().requests());
        assertThat(chat.status().problems()).anyMatch(problem -> problem.contains("0.15 USD a day"));
        assertThat(world.events)
                .filteredOn(event -> event.kind() == Kind.WARNING)
                .noneMatch(event -> event.message().contains("budget"));
    }

    @Test
    void aBudgetThatRefusesLetsNobodyInUntilTheDayIsOver() {
        Deployment chat = serving(aDay("0.15", Action.REFUSE));
        assertThat(trafficUntil(() -> world.happened(Kind.BUDGET))).isTrue();
        Optional<String> refusal = world.gateway.route("chat").policy().refusal();
        assertThat(refusal.orElseThrow()).contains("0.15 USD a day is spent", "new requests are refused");
        assertThat(chat.cost().budgets()).singleElement().satisfies(use -> {
            assertThat(use.usedUsd()).isGreaterThanOrEqualTo(use.limitUsd());
            assertThat(use.hitUntil()).isPresent();
        });
        world.traffic("chat", SECOND.multipliedBy(10), SECOND, SECOND);
        assertThat(chat.status().traffic().rejected()).isGreaterThanOrEqualTo(10);
        assertThat(chat.status().traffic().failed()).isZero();
        world.pass(Duration.between(
                        world.time.instant(),
                        chat.cost().budgets().get(0).hitUntil().orElseThrow())
                .plus(world.timings.observeInterval()));
        assertThat(world.gateway.route("chat").policy().refusal()).isEmpty();
        assertThat(chat.cost().budgets().get(0).hitUntil()).isEmpty();
        assertThat(chat.status().problems()).isEmpty();
        world.gateway.request("chat", SECOND);
        assertThat(world.spotServes(chat)).isTrue();
    }

    @Test
    void aLimitPerHourIsNeverExceededByScaling() {
        BigDecimal limit = new BigDecimal("0.60");
        ScalingPolicy policy = ScalingPolicy.DEFAULT.withSpot(
                ScalingPolicy.Spot.builder().targetQps(0.2).maxReplicas(5).build());
        Budget budget =
                Budget.builder().usdPerHour(limit).action(Action.STOP_SCALING).build();
        Deployment chat = world.start()
                .deploy(Simulation.chat()
                        .serverlessProviders("local")
                        .scaling(policy)
                        .budget(budget)
                        .build());
        for (int i = 0; i < 1800; i++) {
            world.gateway.request("chat", SECOND);
            world.pass(SECOND);
            BigDecimal replicas = world.running().stream()
                    .map(replica -> replica.usdPerHour())
                    .reduce(BigDecimal.ZERO, BigDecimal::add);
            assertThat(replicas).as("after %d s", i).isLessThanOrEqualTo(limit);
        }
        assertThat(world.running()).as("as many as there is money for").hasSizeGreaterThan(1);
        assertThat(chat.status().traffic().failed()).isZero();
    }

    private static Budget anHour(String usd, Action action) {
        return Budget.builder().usdPerHour(new BigDecimal(usd)).action(action).build();
    }

    private void priceOfL4(String usd) {
        world.cloud.setPrice("local-1a/l4-1/SPOT", new BigDecimal(usd));
        world.cloud.setPrice("local-1b/l4-1/SPOT", new BigDecimal(usd));
    }

    private long launches() {
        return world.cloud.callCount(CloudCall.Operation.LAUNCH);
    }

    @ParameterizedTest
    @EnumSource(
            value = Action.class,
            names = {"STOP_SCALING", "SERVERLESS_ONLY", "REFUSE"})
    void aReplicaThatCostsMoreThanALimitPerHourIsNeverLaunched(Action action) {
        Deployment chat = world.start().deploy(chat(anHour("0.20", action)));
        for (int i = 0; i < 3700; i++) {
            world.gateway.request("chat", SECOND);
            world.pass(SECOND);
        }
        assertThat(launches()).isZero();
        assertThat(chat.status().traffic().failed()).isZero();
    }

    @Test
    void thatEveryReplicaIsTooDearForALimitPerHourIsSaidUntilOneIsNot() {
        Deployment chat = world.start().deploy(chat(anHour("0.20", Action.STOP_SCALING)));
        assertThat(trafficUntil(() -> chat.status().problems().stream()
                        .anyMatch(problem -> problem.contains("the cheapest costs 0.24")
                                && problem.contains("limits per hour leave 0.20"))))
                .isTrue();

        world.tuna.redeploy(chat(anHour("0.30", Action.STOP_SCALING)));
        assertThat(trafficUntil(() -> chat.status().spotState() == SpotState.READY))
                .isTrue();
        assertThat(chat.status().problems()).noneMatch(problem -> problem.contains("limits per hour leave"));
    }

    private static DeployRequest atAnyTerms(Budget budget) {
        return atAnyTerms(budget, 2);
    }

    private static DeployRequest atAnyTerms(Budget budget, int most) {
        return Simulation.chat()
                .serverlessProviders("local")
                .scaling(ScalingPolicy.DEFAULT.withSpot(ScalingPolicy.Spot.builder()
                        .maxReplicas(most)
                        .onDemand(ScalingPolicy.Spot.OnDemand.WHEN_CHEAPER)
                        .build()))
                .budget(budget)
                .build();
    }

    private BigDecimal rent() {
        return world.running().stream().map(replica -> replica.usdPerHour()).reduce(BigDecimal.ZERO, BigDecimal::add);
    }

    @Test
    void aLaunchFallsThroughToNoPoolThatCostsMoreThanALimitPerHour() {
        world.cloud.setPrice("local-1b/l4-1/SPOT", new BigDecimal("0.50"));
        world.cloud.setCapacity("local-1a/l4-1/SPOT", 0);
        Deployment chat = world.start().deploy(atAnyTerms(anHour("0.40", Action.STOP_SCALING)));
        world.traffic("chat", Duration.ofMinutes(30), SECOND, SECOND);
        assertThat(launches()).as("the affordable pool was asked").isPositive();
        assertThat(world.running()).as("and none that is dearer").isEmpty();
        world.cloud.setCapacity("local-1a/l4-1/SPOT", 1);
        assertThat(trafficUntil(() -> chat.status().spotState() == SpotState.READY))
                .isTrue();
        assertThat(rent()).isEqualByComparingTo("0.24");
    }

    @ParameterizedTest(name = "{0} an hour, at the most {1}: {2}")
    @CsvSource({"1.10, 2, SPOT", "1.00, 2, ON_DEMAND", "1.10, 1, SPOT", "1.00, 1, ON_DEMAND"})
    void aMachineAtListPriceGivesWayToSpotWhereThereIsMoneyForBothMeanwhile(String limit, int most, String tier) {
        world.cloud.setCapacity("local-1a/l4-1/SPOT", 0);
        world.cloud.setCapacity("local-1b/l4-1/SPOT", 0);
        world.start().deploy(atAnyTerms(anHour(limit, Action.STOP_SCALING), most));
        assertThat(trafficUntil(() -> world.running().size() == 1)).isTrue();
        world.traffic("chat", Duration.ofMinutes(5), SECOND, SECOND);
        assertThat(world.running())
                .singleElement()
                .satisfies(replica -> assertThat(replica.pool()).endsWith("ON_DEMAND"));
        world.cloud.setCapacity("local-1b/l4-1/SPOT", 1);
        for (int i = 0; i < 3600; i++) {
            world.gateway.request("chat", SECOND);
            world.pass(SECOND);
            assertThat(rent()).isLessThanOrEqualTo(new BigDecimal(limit));
        }
        assertThat(world.running())
                .singleElement()
                .satisfies(replica -> assertThat(replica.pool()).endsWith("/" + tier));
    }

    @Test
    void underALimitPerHourWhatItsCloudWillTakeMakesRoomForItsSuccessorAtOnce() {
        serving(anHour("0.30", Action.STOP_SCALING));
        String first = world.running().get(0).id();
        world.cloud.interrupt(first, Duration.ofMinutes(2));
        world.traffic("chat", Duration.ofSeconds(40), SECOND, SECOND);
        assertThat(world.running())
                .singleElement()
                .satisfies(next -> assertThat(next.id()).isNotEqualTo(first));
    }

    @Test
    void whereNoOfferHasAPriceOneReplicaIsTriedAndKept() {
        world.spot = new UnpricedOffers(world.spot, false);
        Deployment chat = world.start().deploy(chat(anHour("0.20", Action.STOP_SCALING)));
        world.traffic("chat", Duration.ofHours(1).plusMinutes(5), SECOND, SECOND);
        assertThat(launches()).isEqualTo(1);
        assertThat(chat.status().spotState()).isEqualTo(SpotState.READY);
        world.cloud.lose(world.running().get(0).id());
        world.traffic("chat", Duration.ofMinutes(55), SECOND, SECOND);
        assertThat(launches()).as("its price is remembered").isEqualTo(1);
        assertThat(world.running()).isEmpty();
    }

    @ParameterizedTest(name = "{0} an hour beside a machine at 0.05 with a replica at 0.24: {1} launches")
    @CsvSource({"0.28, 0", "0.29, 1"})
    void theMachineThatItIsLookedAfterOnTakesItsPartOfALimitPerHour(String limit, int launches) {
        world.machine = Optional.of(
                new HostMachine("local-spot", "router", Optional.of(new BigDecimal("0.05")), world.time.instant()));
        priceOfL4("0.24");
        Deployment chat = world.start().deploy(chat(anHour(limit, Action.SERVERLESS_ONLY)));
        for (int i = 0; i < 600; i++) { // the price of one is known before one is launched
            world.gateway.request("chat", SECOND.multipliedBy(3));
            world.pass(SECOND);
        }
        assertThat(launches()).isEqualTo(launches);
        assertThat(chat.status().traffic().failed()).isZero();
    }

    @Test
    void aRollForWhichThereIsNoMoneyForTwoFleetsGoesByWayOfServerless() {
        BigDecimal limit = new BigDecimal("0.40");
        Budget budget = anHour("0.40", Action.STOP_SCALING);
        Deployment chat = serving(budget);
        assertThat(rent()).isEqualByComparingTo("0.24");
        world.tuna.redeploy(chat(budget).toBuilder().maxModelLen(8192).build());

        assertThat(trafficUntil(() -> {
                    assertThat(rent()).isLessThanOrEqualTo(limit);
                    return chat.rolled().isDone();
                }))
                .isTrue();
        assertThat(chat.rolled().join().outcome()).isEqualTo(RollReport.Outcome.ROLLED);
        assertThat(trafficUntil(() -> {
                    assertThat(rent()).isLessThanOrEqualTo(limit);
                    return chat.status().spotState() == SpotState.READY;
                }))
                .as("the new fleet comes when the old one is gone")
                .isTrue();
        assertThat(chat.status().traffic().failed()).isZero();
        assertThat(chat.status().traffic().rejected()).isZero();
    }

    @Test
    void aRiseOfPricesEndsNoReplicaAndLaunchesNoneUntilTheyFall() {
        Deployment chat = serving(anHour("0.30", Action.STOP_SCALING));
        priceOfL4("0.35");
        world.traffic("chat", Duration.ofHours(1), SECOND, SECOND);
        assertThat(chat.status().spotState()).isEqualTo(SpotState.READY);
        assertThat(launches()).isEqualTo(1);
        assertThat(chat.cost().budgets().get(0).hitUntil()).isPresent();

        world.cloud.lose(world.running().get(0).id());
        world.traffic("chat", Duration.ofMinutes(90), SECOND, SECOND);
        assertThat(launches()).isEqualTo(1);
        priceOfL4("0.24");
        world.traffic("chat", Duration.ofMinutes(70), SECOND, SECOND);
        assertThat(chat.status().spotState()).isEqualTo(SpotState.READY);
    }

    @Test
    void aBudgetSaysThatItDoesNotKnowTheWholeCost() {
        world.spot = new UnpricedOffers(world.spot, true);
        Budget budget = Budget.builder()
                .usdPerHour(BigDecimal.TEN)
                .usdPerDay(BigDecimal.TEN)
                .build();
        Deployment chat = serving(budget);
        world.pass(world.timings.observeInterval().multipliedBy(2));
        assertThat(chat.cost().budgets()).hasSize(2).noneMatch(BudgetUse::complete);
        assertThat(chat.status().problems()).singleElement().asString().contains("no known price");
        assertThat(world.events)
                .filteredOn(event -> event.kind() == Kind.WARNING)
                .anyMatch(event -> event.message().contains("no known price"));
    }

    @Test
    void aReplicaGivenUpForMoneyFinishesALongRequest() {
        Deployment chat = serving(aDay("0.15", Action.SERVERLESS_ONLY));
        assertThat(trafficUntil(() -> spentToday(chat, world.time.instant()).compareTo(new BigDecimal("0.149")) >= 0))
                .isTrue();
        world.gateway.request("chat", world.timings.drainLimit().multipliedBy(5));
        assertThat(world.until(() -> world.happened(Kind.BUDGET))).isTrue();
        world.pass(world.timings.drainLimit().multipliedBy(2));
        assertThat(world.running()).as("it goes on with what it has").hasSize(1);
        assertThat(world.until(() -> world.running().isEmpty())).isTrue();
        assertThat(chat.status().traffic().failedOver()).isZero();
        assertThat(chat.status().traffic().succeeded())
                .isEqualTo(chat.status().traffic().requests());
    }

    @Test
    void aBudgetThatOnlyWarnsChangesNothingElse() {
        Deployment chat = serving(aDay("0.01", Action.WARN));
        assertThat(trafficUntil(() -> world.happened(Kind.BUDGET))).isTrue();
        world.traffic("chat", Duration.ofMinutes(2), SECOND, SECOND);
        assertThat(chat.status().spotState()).isEqualTo(SpotState.READY);
        assertThat(world.gateway.route("chat").policy().refusal()).isEmpty();
    }

    @Test
    void raisingABudgetLiftsWhatItHeldBackWithoutReplacingAnything() {
        Deployment chat = serving(aDay("0.15", Action.SERVERLESS_ONLY));
        assertThat(trafficUntil(() -> world.running().isEmpty())).isTrue();
        world.tuna.redeploy(chat(aDay("50", Action.SERVERLESS_ONLY)));
        assertThat(world.until(chat.rolled()::isDone)).isTrue();
        assertThat(chat.rolled().join().outcome()).isEqualTo(RollReport.Outcome.ADJUSTED);
        assertThat(trafficUntil(() -> chat.status().spotState() == SpotState.READY))
                .isTrue();
        assertThat(chat.status().problems()).isEmpty();
    }

    @Test
    void whatWasSpentTodayIsNotForgottenByARestart() {
        serving(aDay("0.15", Action.SERVERLESS_ONLY));
        assertThat(trafficUntil(() -> world.running().isEmpty())).isTrue();
        world.restart();
        world.pass(world.timings.observeInterval().multipliedBy(2));
        world.traffic("chat", Duration.ofMinutes(1), SECOND, SECOND);
        assertThat(world.running()).isEmpty();
        Deployment again = world.tuna.deployment("chat").orElseThrow();
        assertThat(again.cost().budgets().get(0).hitUntil()).isPresent();
        assertThat(again.status().traffic().failed()).isZero();
    }

    private Optional<String> refusal() {
        return world.gateway.route("chat").policy().refusal();
    }

    @Test
    void moneyThatIsSpentKeepsRequestsOutFromTheFirstMomentAfterACrash() {
        serving(aDay("0.15", Action.REFUSE));
        assertThat(trafficUntil(() -> refusal().isPresent())).isTrue();
        world.crash();
        assertThat(refusal()).isPresent();
    }

    @Test
    void aBudgetThatIsLoweredBelowWhatWasSpentRefusesAtOnce() {
        Deployment chat = serving(aDay("50", Action.REFUSE));
        world.traffic("chat", Duration.ofMinutes(5), SECOND, SECOND);
        world.tuna.redeploy(chat(aDay("0.01", Action.REFUSE)));
        assertThat(refusal()).isPresent();
        assertThat(chat.cost().total()).isGreaterThan(new BigDecimal("0.01"));
    }

    @Test
    void aDeploymentThatIsAcceptedWhenAllTogetherHaveSpentTheirMoneyLetsNobodyIn() {
        world.budget = aDay("0.15", Action.REFUSE);
        Deployment first = serving(Budget.NONE);
        assertThat(trafficUntil(() -> refusal().isPresent())).isTrue();
        assertThat(world.until(first.destroy()::isDone)).isTrue();
        world.tuna.deploy(chat(Budget.NONE));
        assertThat(refusal()).isPresent();
    }

    @Test
    void theBudgetOfAllIsStoredAndHoldsInTheNextProcess() {
        world.budget = aDay("0.15", Action.REFUSE);
        serving(Budget.NONE);
        world.budget = Budget.NONE; // says nothing
        world.restart();
        assertThat(trafficUntil(() -> refusal().isPresent())).isTrue();
        world.crash();
        assertThat(refusal()).isPresent();
        assertThat(world.tuna.overallBudget().limits()).isEqualTo(aDay("0.15", Action.REFUSE));
    }

    @Test
    void theBudgetOfAllThatIsSetInBetweenHoldsAtOnceAndCountsWhatIsOver() {
        Deployment first = serving(Budget.NONE);
        world.traffic("chat", Duration.ofMinutes(20), SECOND, SECOND);
        assertThat(world.until(first.destroy()::isDone)).isTrue();
        BigDecimal spent = world.tuna.cost("chat").total();
        world.restart();
        assertThat(world.tuna.overallBudget()).isEqualTo(new BudgetReport(Budget.NONE, List.of()));
        Deployment second = world.tuna.deploy(chat(Budget.NONE));
        assertThat(world.spotServes(second)).isTrue();
        assertThat(refusal()).isEmpty();

        world.tuna.setOverallBudget(aDay(spent.toPlainString(), Action.REFUSE));
        assertThat(refusal()).isPresent();
        assertThat(world.tuna.overallBudget().uses()).singleElement().satisfies(use -> {
            assertThat(use.usedUsd()).isGreaterThan(spent);
            assertThat(use.hitUntil()).isPresent();
        });

        world.tuna.setOverallBudget(aDay("50", Action.REFUSE));
        assertThat(refusal()).isEmpty();
        assertThat(second.status().problems()).isEmpty();
        world.tuna.setOverallBudget(Budget.NONE);
        assertThat(second.cost().budgets()).isEmpty();
        world.restart();
        assertThat(world.tuna.overallBudget().limits()).isEqualTo(Budget.NONE);
    }

    @Test
    void aBudgetOfAllThatCannotBeStoredDoesNotHold() {
        Deployment chat = serving(Budget.NONE);
        world.unwritable = true;
        assertThatThrownBy(() -> world.tuna.setOverallBudget(aDay("0.01", Action.REFUSE)))
                .isInstanceOf(StoreException.class);
        assertThat(refusal()).isEmpty();
        assertThat(chat.cost().budgets()).isEmpty();
    }

    @Test
    void theBudgetOfAllCountsWhatIsOverAndHoldsForEachEvenAfterARestart() {
        world.budget = aDay("0.25", Action.REFUSE);
        Deployment first = serving(Budget.NONE);
        world.traffic("chat", Duration.ofMinutes(20), SECOND, SECOND);
        CompletableFuture<?> destroyed = first.destroy();
        assertThat(world.until(destroyed::isDone)).isTrue();
        BigDecimal spent = world.tuna.cost("chat").total();
        assertThat(spent).isLessThan(new BigDecimal("0.25"));

        world.restart();
        Deployment second = world.tuna.deploy(chat(Budget.NONE));
        assertThat(second.cost().budgets()).singleElement().satisfies(use -> {
            assertThat(use.overall()).isTrue();
            assertThat(use.usedUsd()).isGreaterThanOrEqualTo(spent);
        });
        assertThat(trafficUntil(
                        () -> world.gateway.route("chat").policy().refusal().isPresent()))
                .isTrue();
        assertThat(second.cost().total()).as("less than the limit by itself").isLessThan(new BigDecimal("0.25"));
        assertThat(second.cost().budgets())
                .extracting(BudgetUse::overall, BudgetUse::action)
                .containsExactly(org.assertj.core.groups.Tuple.tuple(true, Action.REFUSE));
        assertThat(second.status().backends()).anyMatch(backend -> backend.tier() == Tier.SERVERLESS);
    }
}
