package dev.tuna.provider.cloudrun;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import java.math.BigDecimal;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What an instance costs. Covers K-04 and K-08. */
class PricesTest {

    @Test
    @DisplayName(
            "K-04: without the catalogue there is a dated table: the whole instance in each region that has the GPU")
    void theTable() {
        assertThat(Prices.BUILT_IN.offers())
                .filteredOn(offer -> offer.gpu().equals("L4"))
                .hasSize(6)
                .allSatisfy(offer -> {
                    assertThat(offer.usdPerHour())
                            .hasValueSatisfying(
                                    usd -> assertThat(usd).isBetween(new BigDecimal("1.41"), new BigDecimal("1.43")));
                    assertThat(offer.source()).contains("2026-08-20");
                    assertThat(offer.gpuCount()).isEqualTo(1);
                });
        assertThat(Prices.BUILT_IN.offers())
                .filteredOn(offer -> offer.gpu().equals("RTX_PRO_6000"))
                .allSatisfy(offer -> assertThat(offer.usdPerHour())
                        .hasValueSatisfying(
                                usd -> assertThat(usd).isBetween(new BigDecimal("3.18"), new BigDecimal("3.20"))));
    }

    @Test
    @DisplayName("K-08: where Google's catalogue tells prices they are used, and the table elsewhere")
    void liveWhereTold() {
        try (World world = World.create()) {
            assertThat(world.cloud.offers(GpuQuery.gpu("L4")))
                    .filteredOn(offer -> offer.region().orElseThrow().equals("us-east4"))
                    .singleElement()
                    .satisfies(offer -> {
                        assertThat(offer.source()).isEqualTo(Prices.LIVE);
                        // 0.00021 + 8 x 0.00002 + 32 x 0.0000022 $/s
                        assertThat(offer.usdPerHour().orElseThrow()).isEqualByComparingTo("1.5854");
                    });
            assertThat(world.cloud.offers(GpuQuery.gpu("L4")))
                    .filteredOn(offer -> offer.region().orElseThrow().equals("europe-west4"))
                    .singleElement()
                    .extracting(GpuOffer::source)
                    .isEqualTo(Prices.BUILT_IN.source());
        }
    }

    @Test
    void redundancyAndAnotherShapeCostMore() {
        BigDecimal four = BigDecimal.valueOf(4);
        BigDecimal sixteen = BigDecimal.valueOf(16);
        assertThat(Prices.BUILT_IN.usdPerHour("L4", false, four, sixteen, "us-central1"))
                .hasValueSatisfying(usd -> assertThat(usd).isBetween(new BigDecimal("1.04"), new BigDecimal("1.06")));
        assertThat(Prices.BUILT_IN.usdPerHour("L4", true, four, sixteen, "us-central1"))
                .hasValueSatisfying(usd -> assertThat(usd).isBetween(new BigDecimal("1.41"), new BigDecimal("1.43")));
        assertThat(Prices.BUILT_IN.usdPerHour("T4", true, four, sixteen, "us-central1"))
                .isEmpty();
    }
}
