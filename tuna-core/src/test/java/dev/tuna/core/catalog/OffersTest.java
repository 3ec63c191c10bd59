package dev.tuna.core.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.GpuOffer;
import dev.tuna.api.Tier;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class OffersTest {

    private static final List<GpuOffer> OFFERS = List.of(
            offer("dear", Tier.SERVERLESS, "A100_80GB", 1, "4.00"),
            offer("unknown", Tier.SERVERLESS, "A100_80GB", 1, ""),
            offer("cheap", Tier.SERVERLESS, "A100_80GB", 1, "1.12"),
            offer("also-cheap", Tier.SERVERLESS, "A100_80GB", 1, "1.12"),
            offer("cheap", Tier.SERVERLESS, "A100_80GB", 4, "4.48"),
            offer("rented", Tier.SPOT, "A100_80GB", 1, "0.50"),
            offer("other", Tier.SERVERLESS, "L4", 1, "0.80"),
            offer("exotic", Tier.SERVERLESS, "MI300X", 1, "2.00"));

    @Test
    @DisplayName("F-06 the cheapest first, unknown prices last, every name once")
    void ordersServerlessProvidersByPrice() {
        assertThat(Offers.cheapest(OFFERS, "A100_80GB", 1)).containsExactly("also-cheap", "cheap", "dear", "unknown");
    }

    @Test
    @DisplayName("F-06 the GPU count matters")
    void leavesOutWhoDoesNotOfferThatManyGpus() {
        assertThat(Offers.cheapest(OFFERS, "A100_80GB", 4)).containsExactly("cheap");
        assertThat(Offers.cheapest(OFFERS, "A100_80GB", 8)).isEmpty();
    }

    @Test
    @DisplayName("K-02 any spelling of a GPU will do")
    void takesAliases() {
        assertThat(Offers.cheapest(OFFERS, "nvidia a100-80gb", 4)).containsExactly("cheap");
        assertThat(Offers.cheapest(OFFERS, "l4", 1)).containsExactly("other");
        assertThat(Offers.cheapest(OFFERS, "mi300x", 1)).containsExactly("exotic");
    }

    @Test
    void aProviderCountsWithItsCheapestRegion() {
        List<GpuOffer> offers = List.of(
                offer("two-regions", Tier.SERVERLESS, "L4", 1, "3.00"),
                offer("one-region", Tier.SERVERLESS, "L4", 1, "2.00"),
                offer("two-regions", Tier.SERVERLESS, "L4", 1, "1.00"));

        assertThat(Offers.cheapest(offers, "L4", 1)).containsExactly("two-regions", "one-region");
    }

    @Test
    void nobodyIsTheCheapestOfNothing() {
        assertThat(Offers.cheapest(List.of(), "L4", 1)).isEmpty();
    }

    private static GpuOffer offer(String provider, Tier tier, String gpu, int gpuCount, String price) {
        return new GpuOffer(
                provider,
                tier,
                gpu,
                gpuCount,
                Optional.empty(),
                Optional.empty(),
                price.isEmpty() ? Optional.empty() : Optional.of(new BigDecimal(price)),
                Instant.EPOCH,
                "test");
    }
}
