package dev.tuna.provider.baseten;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JacksonException;
import dev.tuna.api.GpuOffer;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class InstanceCatalogTest {

    private static final Instant NOW = Instant.parse("2026-11-30T12:00:00Z");

    @Test
    @DisplayName(
            "K-03, K-08: each number of cards is an offer, with the price of the machine that a deployment would get")
    void eachNumberOfCardsIsAnOffer() {
        List<GpuOffer> offers = InstanceCatalog.BUILT_IN.offers().toList();
        assertThat(offers)
                .extracting(offer -> offer.gpuCount() + " x " + offer.gpu() + " "
                        + offer.machineType().orElseThrow() + " "
                        + offer.usdPerHour().orElseThrow().stripTrailingZeros().toPlainString())
                .contains(
                        "1 x T4 T4x8x32 0.9024",
                        "1 x L4 L4:4x16 0.8484",
                        "2 x L4 L4:2x24x96 2.4012",
                        "4 x L4 L4:4x48x192 4.8018",
                        "1 x A10G A10Gx8x32 1.4544",
                        "1 x A100_80GB A100:12x144 4.0002",
                        "1 x H100_MIG H100MIG 3.75",
                        "1 x H100 H100 6.4998",
                        "8 x H100 H100:8 51.9984",
                        "1 x B200 B200 9.9798");
        assertThat(offers).allSatisfy(offer -> {
            assertThat(offer.source()).contains("2026-09-02");
            assertThat(offer.asOf()).isEqualTo("2026-09-02T00:00:00Z");
        });
        assertThat(offers.stream().map(offer -> offer.gpu() + offer.gpuCount())).doesNotHaveDuplicates();
    }

    @Test
    void aMachineWhoseMemoryTheCardCouldFillIsNotTakenWhereThereIsALargerOne() {
        assertThat(InstanceCatalog.BUILT_IN.best("t4", 1))
                .map(InstanceType::sku)
                .hasValue("T4x8x32");
        assertThat(InstanceCatalog.BUILT_IN.best("L4", 1))
                .map(InstanceType::sku)
                .hasValue("L4:4x16");
        assertThat(InstanceCatalog.BUILT_IN.best("L4", 3)).isEmpty();
        assertThat(InstanceCatalog.BUILT_IN.best("A40", 1)).isEmpty();
    }

    @Test
    void whatBasetenTellsIsPricedByTheHourAndHasCanonicalNames() {
        InstanceCatalog live = live("""
                {"instance_types":[
                 {"instance_type":{"id":"1x2","name":"1x2","gpu_type":null,"gpu_count":0,"gpu_memory_limit_mib":null,
                   "memory_limit_mib":2048,"millicpu_limit":1000},"price":0.00058},
                 {"instance_type":{"id":"x1","name":"H100MIG","gpu_type":"H100","gpu_count":1,
                   "gpu_memory_limit_mib":40960,"memory_limit_mib":119808,"millicpu_limit":13000},"price":0.0625},
                 {"instance_type":{"id":"H100:2","name":"2 x H100","gpu_type":"H100","gpu_count":2,
                   "gpu_memory_limit_mib":81920,"memory_limit_mib":479232,"millicpu_limit":52000},"price":0.21666},
                 {"instance_type":{"id":"GB300","name":"GB300","gpu_type":"GB300","gpu_count":1,
                   "gpu_memory_limit_mib":0,"memory_limit_mib":0,"millicpu_limit":0}}]}""");
        assertThat(live.types())
                .containsExactly(
                        new InstanceType(
                                "H100MIG", "H100MIG", "H100_MIG", 1, 40, 117, Optional.of(new BigDecimal("3.7500"))),
                        new InstanceType(
                                "H100:2", "2 x H100", "H100", 2, 160, 468, Optional.of(new BigDecimal("12.9996"))),
                        new InstanceType("GB300", "GB300", "GB300", 1, 0, 0, Optional.empty()));
        assertThat(live.offers())
                .extracting(GpuOffer::source, GpuOffer::asOf)
                .allSatisfy(what -> assertThat(what.toList()).containsExactly("live", NOW));
    }

    @Test
    void aDeploymentIsPricedByWhateverItCallsItsMachine() {
        InstanceCatalog live = live("""
                {"instance_types":[{"instance_type":{"id":"H100:2","name":"2 x H100","gpu_type":"H100","gpu_count":2,
                   "gpu_memory_limit_mib":81920,"memory_limit_mib":479232,"millicpu_limit":52000},"price":0.2}]}""");
        for (String deployment : List.of(
                "{\"instance_type_name\":\"H100:2\"}",
                "{\"instance_type_name\":\"2 x H100\"}",
                "{\"instance_type_name\":null,\"labels\":{\"tuna-machine\":\"H100_2\"}}")) {
            assertThat(live.of(deployment(deployment))).map(InstanceType::sku).hasValue("H100:2");
        }
        assertThat(live.of(deployment("{\"instance_type_name\":\"L4:4x16\"}"))).isEmpty();
    }

    @Test
    void anEngineNeedsMoreMemoryThanItsWeights() {
        InstanceType small = InstanceCatalog.BUILT_IN.sku("T4x4x16").orElseThrow();
        assertThat(small.isTightFor(6_000_000_000L)).isTrue();
        assertThat(small.isTightFor(1_500_000_000L)).isFalse();
        assertThat(InstanceCatalog.BUILT_IN.sku("H100").orElseThrow().isTightFor(200_000_000_000L))
                .as("memory that is not known")
                .isFalse();
    }

    private static InstanceCatalog live(String answer) {
        try {
            return InstanceCatalog.live(ModelPlan.JSON.readTree(answer), NOW);
        } catch (JacksonException e) {
            throw new AssertionError(e);
        }
    }

    private static Deployment deployment(String json) {
        try {
            return Deployment.of(ModelPlan.JSON.readTree(json));
        } catch (JacksonException e) {
            throw new AssertionError(e);
        }
    }
}
