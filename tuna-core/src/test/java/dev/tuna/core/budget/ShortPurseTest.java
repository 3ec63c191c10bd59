package dev.tuna.core.budget;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Tier;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.PoolOffer;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ShortPurseTest {

    private static final PoolOffer CHEAP = offer("a", "0.20");
    private static final PoolOffer DEAR = offer("b", "0.50");
    private static final PoolOffer UNKNOWN = new PoolOffer(pool("c"), "L4", 1, Optional.empty(), Instant.EPOCH, "test");

    private static CapacityPool pool(String zone) {
        return new CapacityPool("p", "r", zone, "m", Tier.SPOT);
    }

    private static PoolOffer offer(String zone, String usd) {
        return new PoolOffer(pool(zone), "L4", 1, Optional.of(new BigDecimal(usd)), Instant.EPOCH, "test");
    }

    private static ShortPurse with(String usd) {
        return new ShortPurse(Optional.of(new BigDecimal(usd)));
    }

    @Test
    void withoutALimitEverythingIsAffordable() {
        assertThat(new ShortPurse(Optional.empty()).affordable(List.of(DEAR, UNKNOWN)))
                .containsExactly(DEAR, UNKNOWN);
    }

    @Test
    void whatCostsMoreOrAnythingIsLeftOut() {
        assertThat(with("0.50").affordable(List.of(DEAR, CHEAP, UNKNOWN))).containsExactly(DEAR, CHEAP);
        assertThat(with("0.49").affordable(List.of(DEAR, CHEAP, UNKNOWN))).containsExactly(CHEAP);
        assertThat(with("0.10").affordable(List.of(DEAR, CHEAP, UNKNOWN))).isEmpty();
    }

    @Test
    void whereNothingHasAPriceItIsTried() {
        assertThat(with("0.10").affordable(List.of(UNKNOWN))).containsExactly(UNKNOWN);
    }

    @Test
    void aLaunchTakesOutTheDearestThatMayComeOfIt() {
        ShortPurse purse = with("0.90");
        List<PoolOffer> offers = List.of(CHEAP, DEAR);
        assertThat(purse.spendOnDearest(offers, List.of(pool("a"), pool("b")))).contains(new BigDecimal("0.50"));
        assertThat(purse.affordable(offers)).containsExactly(CHEAP);
        assertThat(purse.spendOnDearest(offers, List.of(pool("a")))).contains(new BigDecimal("0.20"));
        assertThat(purse.affordable(offers)).containsExactly(CHEAP);
        assertThat(purse.spendOnDearest(offers, List.of(pool("a")))).contains(new BigDecimal("0.20"));
        assertThat(purse.affordable(offers)).isEmpty();
    }
}
