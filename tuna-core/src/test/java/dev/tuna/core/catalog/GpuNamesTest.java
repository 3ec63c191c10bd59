package dev.tuna.core.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.ConfigurationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GpuNamesTest {

    @ParameterizedTest
    @DisplayName("K-02, C-14 aliases in any case and spelling")
    @CsvSource({
        "L4, L4",
        "l4, L4",
        "h100, H100",
        "A100, A100_80GB",
        "a100-80gb, A100_80GB",
        "A100 80GB, A100_80GB",
        "a100_40gb, A100_40GB",
        "4090, RTX4090",
        "RTX 4090, RTX4090",
        "NVIDIA GeForce RTX 4090, RTX4090",
        "nvidia l40s, L40S",
        "RTX PRO 6000, RTX_PRO_6000"
    })
    void finds(String written, String name) {
        assertThat(GpuNames.find(written)).map(GpuSpec::name).contains(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "NVIDIA", "A", "L", "A100_60GB", "MI300X"})
    void knowsNoOthers(String written) {
        assertThat(GpuNames.find(written)).isEmpty();
    }

    @Test
    void namesWhatMayHaveBeenMeant() {
        assertThatThrownBy(() -> GpuNames.require("H10"))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("gpu 'H10' is not known; did you mean ")
                .hasMessageContaining("'H100'");
    }

    @Test
    @DisplayName("K-01 18 GPUs, each found by all its names")
    void everyNameLeadsToItsOwnGpu() {
        assertThat(GpuNames.all())
                .hasSize(18)
                .allSatisfy(gpu -> assertThat(
                                Stream.concat(Stream.of(gpu.name(), gpu.fullName()), gpu.aliases().stream()))
                        .allSatisfy(name -> assertThat(GpuNames.find(name)).contains(gpu)));
    }
}
