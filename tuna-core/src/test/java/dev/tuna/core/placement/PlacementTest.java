package dev.tuna.core.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Tier;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.PoolOffer;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PlacementTest {

    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final Duration BOOT = Duration.ofMinutes(5);
    private static final CapacityPool A = pool("a", Tier.SPOT);
    private static final CapacityPool B = pool("b", Tier.SPOT);
    private static final CapacityPool C = pool("c", Tier.SPOT);
    private static final CapacityPool LIST_PRICE = pool("a", Tier.ON_DEMAND);
    private static final List<PoolOffer> OFFERS =
            List.of(offer(LIST_PRICE, "0.90"), offer(C, ""), offer(B, "0.25"), offer(A, "0.24"));

    private static CapacityPool pool(String zone, Tier tier) {
        return new CapacityPool("cloud", "region", zone, "g6.xlarge", tier);
    }

    private static PoolOffer offer(CapacityPool pool, String price) {
        Optional<BigDecimal> known = price.isEmpty() ? Optional.empty() : Optional.of(new BigDecimal(price));
        return new PoolOffer(pool, "L4", 1, known, NOW, "test");
    }

    private static List<CapacityPool> order(List<CapacityPool> fleet, PoolHistory history, boolean onDemand) {
        return Placement.order(OFFERS, fleet, history, BOOT, onDemand, NOW);
    }

    @Test
    void cheapestSpotFirstAndUnknownPricesLast() {
        assertThat(order(List.of(), PoolHistory.NONE, true)).containsExactly(A, B, C);
    }

    @Test
    void spreadsOverZonesOfLikePrice() {
        assertThat(order(List.of(A), PoolHistory.NONE, false)).containsExactly(B, A, C);
        assertThat(order(List.of(A, B), PoolHistory.NONE, false)).containsExactly(A, B, C);
    }

    @Test
    void poolsThatFailedLatelyComeLast() {
        PoolHistory lost = PoolHistory.NONE.lost(A, Duration.ZERO, NOW.minusSeconds(60));
        assertThat(order(List.of(), lost, false)).containsExactly(B, C, A);
        assertThat(order(List.of(), lost.dry(List.of(B), NOW.minus(PoolHistory.FIRST_REST)), false))
                .containsExactly(C, A, B);
        PoolHistory before = PoolHistory.NONE.lost(A, Duration.ZERO, NOW.minus(PoolHistory.MEMORY));
        assertThat(order(List.of(), before, false))
                .as("what it costs to lose replicas there outweighs a cent")
                .containsExactly(B, A, C);
        PoolHistory longAgo = PoolHistory.NONE.lost(A, Duration.ZERO, NOW.minus(Duration.ofDays(30)));
        assertThat(order(List.of(), longAgo, false)).containsExactly(A, B, C);
    }

    @Test
    void poolsThatAreToBeLeftComeAfterThoseThatAreNot() {
        PoolHistory atRisk = PoolHistory.NONE.atRisk(A, NOW.minusSeconds(60));
        assertThat(order(List.of(), atRisk, false)).containsExactly(B, C, A);
        assertThat(order(List.of(), atRisk.lost(B, Duration.ZERO, NOW.minusSeconds(30)), false))
                .as("a loss says more than the risk of one")
                .containsExactly(C, A, B);
        assertThat(order(List.of(), PoolHistory.NONE.atRisk(A, NOW.minus(PoolHistory.MEMORY)), false))
                .containsExactly(A, B, C);
    }

    @Test
    void aTroubledPoolIsNotNamedAsLongAsThereAreBetterOnes() {
        PoolHistory troubled =
                PoolHistory.NONE.atRisk(A, NOW.minusSeconds(60)).lost(B, Duration.ZERO, NOW.minusSeconds(60));
        assertThat(Placement.leastTroubled(order(List.of(), troubled, false), troubled, NOW))
                .containsExactly(C);
        PoolHistory dry = troubled.dry(List.of(C), NOW.minusSeconds(1));
        assertThat(Placement.leastTroubled(order(List.of(), dry, false), dry, NOW))
                .containsExactly(A);
        assertThat(Placement.leastTroubled(order(List.of(), PoolHistory.NONE, false), PoolHistory.NONE, NOW))
                .containsExactly(A, B, C);
        assertThat(Placement.leastTroubled(List.of(), dry, NOW)).isEmpty();
    }

    @Test
    void onlySpotPoolsWithoutASignOfTroubleAreWorthLeavingFor() {
        PoolHistory troubled =
                PoolHistory.NONE.atRisk(A, NOW.minusSeconds(60)).lost(B, Duration.ZERO, NOW.minusSeconds(60));
        assertThat(Placement.worthLeavingFor(List.of(A, B, C), troubled, NOW)).containsExactly(C);
        PoolHistory dry = troubled.dry(List.of(C), NOW.minus(PoolHistory.FIRST_REST));
        assertThat(Placement.worthLeavingFor(List.of(A, B, C), dry, NOW)).isEmpty();
        assertThat(Placement.worthLeavingFor(List.of(LIST_PRICE), PoolHistory.NONE, NOW))
                .isEmpty();
    }

    @Test
    void listPriceOnlyWhenAllSpotIsDryAndItIsAllowed() {
        PoolHistory dry = PoolHistory.NONE.dry(List.of(A, B, C), NOW);
        assertThat(order(List.of(), dry, true)).containsExactly(LIST_PRICE);
        assertThat(order(List.of(), dry, false)).isEmpty();
        assertThat(dry.firstRested(List.of(A), NOW)).contains(NOW.plus(PoolHistory.FIRST_REST));
        assertThat(order(List.of(), PoolHistory.NONE.dry(List.of(A, B), NOW), true))
                .containsExactly(C);
    }

    @Test
    void aPoolThatIsDryAgainAndAgainRestsTwiceAsLongEachTimeAndIsForgivenInTheEnd() {
        PoolHistory history = PoolHistory.NONE;
        Instant now = NOW;
        for (long seconds : new long[] {180, 360, 600, 600}) {
            history = history.dry(List.of(A), now);
            assertThat(history.dry(List.of(A), now))
                    .as("asked by two launches at once")
                    .isEqualTo(history);
            assertThat(history.firstRested(List.of(A, B), now)).contains(now.plusSeconds(seconds));
            now = now.plusSeconds(seconds);
            assertThat(history.firstRested(List.of(A, B), now)).isEmpty();
        }
        now = now.plus(PoolHistory.MEMORY);
        assertThat(history.dry(List.of(A), now).firstRested(List.of(A), now)).contains(now.plusSeconds(180));
    }

    @Test
    void aPoolWithoutQuotaRestsAsLongAsItIsTold() {
        PoolHistory barred = PoolHistory.NONE.barred(List.of(A, B, C), NOW.plusSeconds(1800), NOW);
        assertThat(order(List.of(), barred, true)).containsExactly(LIST_PRICE);
        assertThat(barred.firstRested(List.of(A), NOW)).contains(NOW.plusSeconds(1800));
    }

    @Test
    void nothingOnOfferIsNoOrder() {
        assertThat(Placement.order(List.of(), List.of(), PoolHistory.NONE, BOOT, true, NOW))
                .isEmpty();
    }
}
