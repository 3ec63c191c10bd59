package dev.tuna.provider.runpod;

import dev.tuna.api.ScalingPolicy;
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

    private static ServerlessSpec with(
            ServerlessSpec spec,
            Optional<String> region,
            ScalingPolicy.Serverless scaling,
            Map<String, String> options) {
        return new ServerlessSpec(spec.deployment(), spec.engine(), scaling, region, spec.publicAccess(), options);
    }
}
