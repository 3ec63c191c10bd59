package dev.tuna.provider.runpod;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.spi.ResourceRef;
import dev.tuna.testkit.vendor.VendorFault;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class OffersTest {

    private final Rig rig = new Rig();

    @AfterEach
    void close() throws Exception {
        rig.close();
    }

    private List<GpuOffer> offers(String gpu) {
        return rig.cloud.offers(GpuQuery.gpu(gpu));
    }

    @Test
    @DisplayName("K-01, K-08 prices are those of RunPod's catalogue now, one offer for each number of cards")
    void livePrices() {
        List<GpuOffer> offers = offers("L4");
        assertThat(offers).extracting(GpuOffer::gpuCount).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
        assertThat(offers.get(0).usdPerHour().orElseThrow()).isEqualByComparingTo("0.69");
        assertThat(offers.get(3).usdPerHour().orElseThrow()).isEqualByComparingTo("2.76");
        assertThat(offers).allMatch(offer -> offer.source().equals("live"));
        assertThat(offers.get(0).asOf()).isBeforeOrEqualTo(rig.context.clock().instant());
    }

    @Test
    @DisplayName("K-02 cards have their canonical names, whatever RunPod calls them")
    void names() {
        assertThat(rig.cloud.offers(GpuQuery.ALL))
                .extracting(GpuOffer::gpu)
                .contains("L4", "RTX4090", "A6000", "A40", "L40S", "A100_80GB", "H100", "H200");
        assertThat(offers("A100_80GB")).as("two types of card, one price each").hasSize(8);
    }

    @Test
    @DisplayName("prices that cannot be read are those of the table, with its date, and are read again a minute later")
    void table() {
        rig.vendor.inject(VendorFault.answering("GET /v2/catalog/gpus", Wire.problem(500, "no"))
                .times(3));
        GpuOffer old = offers("L4").get(0);
        assertThat(old.source()).isEqualTo("built-in table of 2026-08-20");
        assertThat(old.usdPerHour().orElseThrow()).isEqualByComparingTo(new BigDecimal("0.684"));
        rig.vendor.clearFaults();
        rig.pass(Duration.ofMinutes(2));
        assertThat(offers("L4").get(0).source()).isEqualTo("live");
    }

    @Test
    @DisplayName("the catalogue is asked for once in ten minutes, the workers once for each look")
    void polling() {
        ResourceRef resource = rig.ready(rig.always("tuna-o", 1));
        int before = rig.vendor.exchanges().size();
        for (int look = 0; look < 5; look++) {
            rig.cloud.observe(resource);
        }
        assertThat(rig.vendor.exchanges().subList(before, rig.vendor.exchanges().size()))
                .extracting(exchange -> exchange.request().toString())
                .containsOnly("GET /v2/serverless/ep000001/workers")
                .hasSize(5);
    }

    @Test
    @DisplayName("looks within the interval share one answer")
    void interval() {
        ResourceRef resource = rig.ready(rig.always("tuna-o", 1));
        try (RunPodCloud patient =
                new RunPodCloud(rig.context.withSetting("observe_interval_seconds", "10"), variable -> null)) {
            patient.observe(resource);
            int before = rig.vendor.exchanges().size();
            patient.observe(resource);
            assertThat(rig.vendor.exchanges()).hasSize(before);
            rig.pass(Duration.ofSeconds(11));
            patient.observe(resource);
            assertThat(rig.vendor.exchanges()).hasSize(before + 1);
        }
    }

    @Test
    @DisplayName("P-15 what runs and is billed is counted, and what one worker costs follows its cards")
    void metering() {
        ResourceRef resource = rig.ready(rig.plan(Specs.named("tuna-o")
                .gpu("L40S", 2)
                .scaling(Specs.named("x").scaling().toBuilder()
                        .workersMin(2)
                        .workersMax(2)
                        .build())));
        assertThat(rig.cloud.observe(resource).containers()).hasValue(2);
        assertThat(rig.cloud.observe(resource).usdPerHour().orElseThrow()).isEqualByComparingTo("3.8");
    }
}
