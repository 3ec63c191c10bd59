package dev.tuna.core.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Tier;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.PoolOffer;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What holds of every choice of pools, whatever has happened; a failure names the seed that repeats it. */
class PlacementPropertyTest {

    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final Duration BOOT = Duration.ofMinutes(5);
    private static final int ROUNDS = 200;

    private static void forRandomWorlds(Consumer<Random> property) {
        long first = new Random().nextLong();
        for (long seed = first; seed < first + ROUNDS; seed++) {
            try {
                property.accept(new Random(seed));
            } catch (AssertionError e) {
                throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
            }
        }
    }

    private static CapacityPool pool(Random random) {
        String region = "region-" + random.nextInt(3);
        return new CapacityPool(
                "cloud",
                region,
                region + (char) ('a' + random.nextInt(3)),
                "type-" + random.nextInt(2),
                random.nextInt(4) == 0 ? Tier.ON_DEMAND : Tier.SPOT);
    }

    private static PoolOffer offer(CapacityPool pool, double usd) {
        return new PoolOffer(pool, "L4", 1, Optional.of(BigDecimal.valueOf(usd)), NOW, "test");
    }

    private static List<PoolOffer> offers(Random random) {
        var offers = new ArrayList<PoolOffer>();
        for (int i = random.nextInt(12); i > 0; i--) {
            CapacityPool pool = pool(random);
            if (offers.stream().noneMatch(offer -> offer.pool().equals(pool))) {
                offers.add(offer(pool, 0.2 + random.nextDouble()));
            }
        }
        return offers;
    }

    private static PoolHistory history(Random random) {
        PoolHistory history = PoolHistory.NONE;
        Instant at = NOW.minus(Duration.ofDays(5));
        for (int i = random.nextInt(40); i > 0; i--) {
            at = at.plusSeconds(random.nextInt(10_000));
            Instant when = at.isAfter(NOW) ? NOW : at;
            CapacityPool pool = pool(random);
            Duration held = Duration.ofMinutes(random.nextInt(600));
            history = switch (random.nextInt(5)) {
                case 0 -> history.dry(List.of(pool), when);
                case 1 -> history.barred(List.of(pool), when.plusSeconds(1800), when);
                case 2 -> history.lost(pool, held, when);
                case 3 -> history.atRisk(pool, when);
                default -> history.kept(pool, held, when);
            };
        }
        return history;
    }

    @Test
    @DisplayName("T-02, T-06: several regions and types; list price only where it is allowed and spot has none")
    void anOrderHoldsPoolsOfOneTierThatAreOfferedAndAwakeEachOnce() {
        forRandomWorlds(random -> {
            List<PoolOffer> offers = offers(random);
            PoolHistory history = history(random);
            boolean allowed = random.nextBoolean();
            List<CapacityPool> order = Placement.order(offers, List.of(), history, BOOT, allowed, NOW);
            assertThat(order).doesNotHaveDuplicates().allSatisfy(pool -> {
                assertThat(offers).extracting(PoolOffer::pool).contains(pool);
                assertThat(history.rests(pool, NOW)).isFalse();
                assertThat(pool.tier()).isEqualTo(order.get(0).tier());
            });
            boolean spotAwake = offers.stream()
                    .anyMatch(offer -> offer.pool().tier() == Tier.SPOT && !history.rests(offer.pool(), NOW));
            if (!order.isEmpty()) {
                assertThat(order.get(0).tier() == Tier.SPOT).isEqualTo(spotAwake);
            }
            if (!allowed) {
                assertThat(order).noneMatch(pool -> pool.tier() == Tier.ON_DEMAND);
            }
        });
    }

    @Test
    void anotherLossNeverMakesAPoolMoreAttractiveAndTimeWithoutOneNeverLess() {
        forRandomWorlds(random -> {
            PoolHistory history = history(random);
            CapacityPool pool = pool(random);
            double before = history.lossesPerHour(pool, NOW);
            double lost = history.lost(pool, Duration.ZERO, NOW).lossesPerHour(pool, NOW);
            double kept = history.kept(pool, Duration.ofHours(10), NOW).lossesPerHour(pool, NOW);
            assertThat(lost).isGreaterThanOrEqualTo(before);
            assertThat(kept).isLessThanOrEqualTo(before);
            assertThat(before).isGreaterThanOrEqualTo(0);
        });
    }

    @Test
    void whatIsLearnedIsForgottenInTheEnd() {
        forRandomWorlds(random -> {
            CapacityPool pool = pool(random);
            double later = history(random).lossesPerHour(pool, NOW.plus(Duration.ofDays(60)));
            double usual = PoolHistory.NONE.lossesPerHour(pool, NOW);
            assertThat(later).isBetween(usual * 0.99, usual * 1.01);
        });
    }

    @Test
    void ofEqualPricesAnotherRegionGoesBeforeAnotherZoneAndThatBeforeTheSameZone() {
        CapacityPool here = new CapacityPool("cloud", "r1", "r1a", "t", Tier.SPOT);
        CapacityPool zone = new CapacityPool("cloud", "r1", "r1b", "t", Tier.SPOT);
        CapacityPool region = new CapacityPool("cloud", "r2", "r2a", "t", Tier.SPOT);
        List<PoolOffer> offers = List.of(offer(here, 0.3), offer(zone, 0.3), offer(region, 0.3));
        assertThat(Placement.order(offers, List.of(here), PoolHistory.NONE, BOOT, false, NOW))
                .containsExactly(region, zone, here);
    }

    @Test
    void aPoolThatSurvivesGoesBeforeACheaperOneThatDoesNot() {
        CapacityPool cheap = new CapacityPool("cloud", "r1", "r1a", "t", Tier.SPOT);
        CapacityPool steady = new CapacityPool("cloud", "r2", "r2a", "t", Tier.SPOT);
        PoolHistory history = PoolHistory.NONE.kept(steady, Duration.ofDays(2), NOW);
        for (int i = 1; i <= 6; i++) {
            history = history.lost(cheap, Duration.ofMinutes(30), NOW.minus(Duration.ofHours(i)));
        }
        List<PoolOffer> offers = List.of(offer(cheap, 0.30), offer(steady, 0.33));
        assertThat(Placement.order(offers, List.of(), history, BOOT, false, NOW))
                .containsExactly(steady, cheap);
        assertThat(Placement.order(offers, List.of(), PoolHistory.NONE, BOOT, false, NOW))
                .containsExactly(cheap, steady);
    }

    @Test
    void forWantOfQuotaThatTypeRestsInItsWholeRegionAndNoOther() {
        CapacityPool zone = new CapacityPool("cloud", "r1", "r1a", "t", Tier.SPOT);
        CapacityPool neighbour = new CapacityPool("cloud", "r1", "r1b", "t", Tier.SPOT);
        CapacityPool smaller = new CapacityPool("cloud", "r1", "r1a", "u", Tier.SPOT);
        CapacityPool listPrice = new CapacityPool("cloud", "r1", "r1a", "t", Tier.ON_DEMAND);
        CapacityPool elsewhere = new CapacityPool("cloud", "r2", "r2a", "t", Tier.SPOT);
        PoolHistory history = PoolHistory.NONE.barred(List.of(zone), NOW.plusSeconds(60), NOW);
        assertThat(history.rests(zone, NOW)).isTrue();
        assertThat(history.rests(neighbour, NOW)).isTrue();
        assertThat(history.rests(smaller, NOW))
                .as("another type, which may be of another family, or fit")
                .isFalse();
        assertThat(history.rests(listPrice, NOW)).isFalse();
        assertThat(history.rests(elsewhere, NOW)).isFalse();
        assertThat(history.rests(neighbour, NOW.plusSeconds(60))).isFalse();
    }

    @Test
    void whatSeveralKnowIsJoinedInAnyOrderAndOnce() {
        forRandomWorlds(random -> {
            PoolHistory one = history(random);
            PoolHistory two = history(random);
            PoolHistory three = history(random);
            assertThat(one.join(one)).isEqualTo(one);
            assertThat(one.join(PoolHistory.NONE)).isEqualTo(one);
            assertThat(one.join(two)).isEqualTo(two.join(one));
            assertThat(one.join(two).join(three)).isEqualTo(one.join(two.join(three)));
            CapacityPool pool = pool(random);
            assertThat(one.join(two).rests(pool, NOW)).isEqualTo(one.rests(pool, NOW) || two.rests(pool, NOW));
        });
    }

    @Test
    void machinesAtListPriceMustSaveMoreThanTheirBootCosts() {
        OptionalLong dear = OptionalLong.of(1_420_000);
        OptionalLong listPrice = OptionalLong.of(805_000);
        assertThat(OnDemandFallback.pays(dear, listPrice, 1, Duration.ZERO, BOOT))
                .isTrue();
        assertThat(OnDemandFallback.pays(dear, listPrice, 0.5, Duration.ZERO, BOOT))
                .isFalse();
        assertThat(OnDemandFallback.pays(OptionalLong.of(800_000), listPrice, 1, Duration.ofDays(1), BOOT))
                .isFalse();
        assertThat(OnDemandFallback.pays(OptionalLong.empty(), listPrice, 1, Duration.ZERO, BOOT))
                .as("an unknown price is not a reason to spend")
                .isFalse();
        assertThat(OnDemandFallback.pays(OptionalLong.of(900_000), listPrice, 1, Duration.ZERO, BOOT))
                .isFalse();
        assertThat(OnDemandFallback.pays(OptionalLong.of(900_000), listPrice, 1, Duration.ofHours(2), BOOT))
                .as("what has lasted long will last")
                .isTrue();
    }

    @Test
    void aSpareReplicaIsKeptOnlyWhereLossesCostMoreThanIt() {
        CapacityPool calm = new CapacityPool("cloud", "r1", "r1a", "t", Tier.SPOT);
        PoolHistory history = PoolHistory.NONE;
        assertThat(Spare.replicas(List.of(calm, calm), history, OptionalDouble.of(3), 1, BOOT, NOW))
                .isZero();
        for (int i = 20; i > 0; i--) {
            history = history.lost(calm, Duration.ofMinutes(15), NOW.minus(Duration.ofMinutes(15L * i)));
        }
        assertThat(Spare.replicas(List.of(calm, calm), history, OptionalDouble.of(3), 1, BOOT, NOW))
                .isPositive();
        PoolHistory losses = history;
        forRandomWorlds(random -> {
            List<CapacityPool> fleet = List.of(calm, pool(random));
            int spare = Spare.replicas(
                    fleet, losses, OptionalDouble.of(10 * random.nextDouble()), random.nextDouble(), BOOT, NOW);
            assertThat(spare).isBetween(0, fleet.size());
        });
        assertThat(Spare.replicas(List.of(calm), losses, OptionalDouble.empty(), 1, BOOT, NOW))
                .isZero();
    }
}
