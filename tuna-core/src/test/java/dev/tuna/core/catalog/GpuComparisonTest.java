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

class GpuComparisonTest {

    private static GpuOffer offer(String provider, Tier tier, String gpu, int count, String usd) {
        return new GpuOffer(
                provider,
                tier,
                gpu,
                count,
                Optional.empty(),
                Optional.empty(),
                Optional.of(usd).filter(price -> !price.isEmpty()).map(BigDecimal::new),
                Instant.EPOCH,
                "table");
    }

    @Test
    @DisplayName(
            "C-13 K-05 machines of several GPUs count with their share, and a price that is unknown never as nothing")
    void aMachineOfSeveralGpusCountsWithItsShare() {
        List<GpuComparison> compared = GpuComparison.of(List.of(
                offer("modal", Tier.SERVERLESS, "A100_80GB", 1, "2.50"),
                offer("baseten", Tier.SERVERLESS, "A100_80GB", 1, ""),
                offer("aws", Tier.SPOT, "A100_80GB", 8, "8.00"),
                offer("aws", Tier.SPOT, "A100_80GB", 1, ""),
                offer("aws", Tier.ON_DEMAND, "A100_80GB", 8, "32.00")));
        assertThat(compared).singleElement().satisfies(each -> {
            assertThat(each.vramGib()).isEqualTo(80);
            assertThat(each.serverless()).containsOnlyKeys("baseten", "modal");
            assertThat(each.cheapestServerless().orElseThrow().provider()).isEqualTo("modal");
            assertThat(GpuComparison.perGpu(each.spot().orElseThrow())).contains(new BigDecimal("1.00"));
            assertThat(each.savingsPercent()).contains(60);
        });
    }

    @Test
    @DisplayName("C-12 by memory, then by name; what nobody knows comes last and is compared all the same")
    void sorted() {
        assertThat(GpuComparison.of(List.of(
                        offer("local", Tier.SERVERLESS, "RTX 3070", 1, "0.20"),
                        offer("local", Tier.SERVERLESS, "H100", 1, "3"),
                        offer("local", Tier.SERVERLESS, "T4", 1, "0.5"),
                        offer("local", Tier.SPOT, "H100", 1, "4"))))
                .extracting(GpuComparison::gpu)
                .containsExactly("T4", "H100", "RTX 3070");
    }

    @Test
    void withoutEitherPriceNothingIsSaved() {
        assertThat(GpuComparison.of(List.of(offer("local", Tier.SPOT, "T4", 1, "0.1")))
                        .get(0)
                        .savingsPercent())
                .isEmpty();
        assertThat(GpuComparison.of(List.of(
                                offer("local", Tier.SERVERLESS, "T4", 1, "0.2"),
                                offer("local", Tier.SPOT, "T4", 1, "0.3")))
                        .get(0)
                        .savingsPercent())
                .contains(-50);
    }
}
