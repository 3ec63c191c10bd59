package dev.tuna.provider.baseten;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.spi.ServerlessCloud;
import dev.tuna.testkit.baseten.BasetenStandIn.Trouble;
import dev.tuna.testkit.contract.ContractContext;
import java.math.BigDecimal;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/**
 * The smallest model on a real account. Costs money; off unless the environment says how many dollars it may cost. The same on a
 * stand-in shows that the test itself is right.
 */
class LiveSmokeTest {

    private static final String MOST_USD = "TUNA_LIVE_BASETEN_MAX_USD";

    @Test
    @Tag("full")
    @EnabledIfEnvironmentVariable(named = MOST_USD, matches = "\\d+(\\.\\d+)?")
    void aRealAccountDeploysAnswersAndKeepsNothing() throws Exception {
        try (ServerlessCloud cloud = new BasetenProvider().open(ContractContext.create())) {
            String streamed = new Smoke(cloud, new BigDecimal(System.getenv(MOST_USD)), Duration.ofSeconds(10)).run();
            assertThat(streamed).contains("chat.completion.chunk");
        }
    }

    @Test
    void aStandInDoesSoToo() throws Exception {
        try (Bench bench = new Bench(Bench.quick().hub("Qwen/Qwen3-0.6B", 751_632_384L))) {
            new Smoke(bench.cloud(), BigDecimal.ONE, Duration.ZERO).run();
            assertThat(bench.vendor.models()).isEmpty();
        }
    }

    @Test
    void whatFailsIsDestroyedAndWhatCannotBePaidForIsNotMade() {
        try (Bench bench = new Bench(Bench.quick().trouble(Trouble.BUILD_FAILS))) {
            var smoke = new Smoke(bench.cloud(), BigDecimal.ONE, Duration.ZERO);
            assertThatThrownBy(smoke::run).hasMessageContaining("BUILD_FAILED");
            assertThat(bench.vendor.models()).isEmpty();
            assertThatThrownBy(new Smoke(bench.cloud(), new BigDecimal("0.001"), Duration.ZERO)::run)
                    .hasMessageContaining("minutes that 0.001 $ pay for");
            assertThat(bench.calls()).filteredOn("POST /v1/models"::equals).hasSize(1);
        }
    }
}
