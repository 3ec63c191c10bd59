package dev.tuna.core.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.Tier;
import dev.tuna.core.catalog.Price;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PricesYamlTest {

    @Test
    void readsPricesOfContainersAndOfMachines(@TempDir Path directory) throws Exception {
        Path file = Files.writeString(directory.resolve("prices.yaml"), """
                prices:
                  - provider: runpod
                    gpu: nvidia h100
                    gpu_count: 2
                    usd_per_hour: 7.80
                  - {provider: aws, machine_type: g6.xlarge, tier: on_demand, region: us-east-1, usd_per_hour: 0.61}
                """);
        assertThat(PricesYaml.read(file))
                .containsExactly(
                        Price.ofContainer("runpod", "H100", 2, new BigDecimal("7.80")),
                        Price.ofMachine("aws", Tier.ON_DEMAND, "g6.xlarge", new BigDecimal("0.61"))
                                .in("us-east-1"));
    }

    @Test
    void anEmptyFileSaysNothing() {
        assertThat(PricesYaml.read("# none yet\n", "prices.yaml")).isEmpty();
    }

    @Test
    void everythingThatIsWrongIsToldAtOnceWithItsLine() {
        assertThatThrownBy(() -> PricesYaml.read("""
                        prices:
                          - provider: runpod
                            gpu: H10
                            usd_per_hour: -1
                          - provider: aws
                            machine_type: g6.xlarge
                            tier: cheap
                            usd_per_hour: 0.61
                          - usd_per_hour: 1
                            colour: red
                          - provider: aws
                            gpu: L4
                            machine_type: g6.xlarge
                            usd_per_hour: 1
                        """, "prices.yaml"))
                .isInstanceOfSatisfying(
                        ConfigurationException.class,
                        e -> assertThat(String.join("\n", e.problems()))
                                .contains(
                                        "prices.yaml, line 2: prices.gpu is 'H10'",
                                        "did you mean",
                                        "line 2: prices.usd_per_hour is '-1'",
                                        "line 5: prices.tier is 'cheap' but must be spot or on_demand",
                                        "line 9: prices.provider is missing",
                                        "unknown key 'prices.colour'",
                                        "line 11: a price is of a container, with gpu, or of a machine"));
    }
}
