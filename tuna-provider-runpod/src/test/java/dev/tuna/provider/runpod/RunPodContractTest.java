package dev.tuna.provider.runpod;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.ScalingPolicy;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessProvider;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.contract.ServerlessProviderContract;
import dev.tuna.testkit.runpod.RunPodStandIn;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The contract on load-balancing endpoints. Covers P-10 to P-15. */
class RunPodContractTest extends ServerlessProviderContract {

    private static RunPodStandIn vendor;

    @BeforeAll
    static void start() {
        vendor = RunPodStandIn.builder().start();
    }

    @AfterAll
    static void stop() throws IOException {
        vendor.close();
        Wire.checkConformance(vendor);
    }

    @Override
    protected ServerlessProvider provider() {
        return new RunPodProvider();
    }

    @Override
    protected ContractContext context() {
        return Contexts.of(vendor);
    }

    @Override
    protected ContractContext broken(ContractContext working) {
        return working.withSetting("api_url", "http://127.0.0.1:1");
    }

    @Override
    protected Map<String, ServerlessSpec> impossibleSpecs() {
        ServerlessSpec fine = spec("tuna-a");
        return Map.of(
                "a region that is no data center", with(fine, Optional.of("mars-1"), fine.scaling(), Map.of()),
                "an option nobody knows", with(fine, Optional.empty(), fine.scaling(), Map.of("poolz", "ADA_24")),
                "four pools", with(fine, Optional.empty(), fine.scaling(), Map.of("gpu_pools", "A,B,C,D")),
                "a window of two hours",
                        with(
                                fine,
                                Optional.empty(),
                                fine.scaling().toBuilder()
                                        .scaledownWindow(Duration.ofHours(2))
                                        .build(),
                                Map.of()));
    }

    @Test
    @DisplayName("S-04, S-05: each key of the serverless half is sent, or refused if it was set and cannot be honoured")
    void scalingKeysAreSentOrRefused() throws Exception {
        ServerlessSpec fine = spec("tuna-a");
        ScalingPolicy.Serverless asked = ScalingPolicy.Serverless.builder()
                .concurrency(3)
                .scaledownWindow(Duration.ofSeconds(77))
                .timeout(Duration.ofSeconds(88))
                .workersMin(1)
                .workersMax(6)
                .build();
        ScalingPolicy.Serverless delayed = asked.toBuilder().scalerValue(9).build();
        try (ServerlessCloud cloud = provider().open(context())) {
            assertThat(compact(cloud.plan(with(fine, Optional.empty(), asked, Map.of()))))
                    .contains(
                            "\"min\":1", "\"max\":6", "\"idleTimeout\":77", "\"requestCount\":3", "\"timeout\":88000");
            assertThat(compact(cloud.plan(with(fine, Optional.empty(), delayed, Map.of("endpoint_type", "queue")))))
                    .contains("\"queueDelay\":9");
            ServerlessSpec impossible = with(fine, Optional.empty(), delayed, Map.of());
            assertThatThrownBy(() -> cloud.plan(impossible)).hasMessageContaining("serverless.scaler_value is 9");
        }
    }

    private static String compact(ServerlessPlan plan) {
        return plan.body().replaceAll("\\s+", "");
    }

    private static ServerlessSpec with(
            ServerlessSpec spec,
            Optional<String> region,
            ScalingPolicy.Serverless scaling,
            Map<String, String> options) {
        return new ServerlessSpec(spec.deployment(), spec.engine(), scaling, region, spec.publicAccess(), options);
    }
}
