package dev.tuna.provider.runpod;

import dev.tuna.spi.ServerlessProvider;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.contract.ServerlessProviderContract;
import dev.tuna.testkit.runpod.RunPodStandIn;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
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

    Specs specs(String deployment) {
        return Specs.named(deployment);
    }

    @Override
    protected ServerlessSpec spec(String deployment) {
        return specs(deployment).spec();
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
        Specs fine = specs("tuna-a");
        return Map.of(
                "a GPU that RunPod has not", fine.gpu("TPU-V9", 1).spec(),
                "a region that is no data center", fine.region("mars-1").spec(),
                "an option nobody knows", fine.option("poolz", "ADA_24").spec(),
                "four pools", fine.option("gpu_pools", "A,B,C,D").spec(),
                "a window of two hours",
                        fine.scaling(fine.scaling().toBuilder()
                                        .scaledownWindow(Duration.ofHours(2))
                                        .build())
                                .spec());
    }
}
