package dev.tuna.provider.baseten;

import dev.tuna.api.ScalingPolicy;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ServerlessProvider;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.baseten.BasetenStandIn;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.contract.ServerlessProviderContract;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract. Covers P-20 to P-24. */
class BasetenContractTest extends ServerlessProviderContract {

    private static BasetenStandIn vendor;

    @BeforeAll
    static void start() {
        vendor = BasetenStandIn.builder().start();
    }

    @AfterAll
    static void stop() throws IOException {
        vendor.close();
        Wire.checkConformance(vendor.exchanges());
    }

    @Override
    protected ServerlessProvider provider() {
        return new BasetenProvider();
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
        ScalingPolicy.Serverless scaling = fine.scaling();
        return Map.of(
                "a region", with(fine, fine.engine(), scaling, Optional.of("us"), Map.of()),
                "an option nobody knows", with(fine, fine.engine(), scaling, Optional.empty(), Map.of("truss", "yes")),
                "a number of cards that no machine has",
                        with(fine, cards(fine.engine(), 3), scaling, Optional.empty(), Map.of()),
                "a request of an hour",
                        with(
                                fine,
                                fine.engine(),
                                scaling.toBuilder().timeout(Duration.ofHours(1)).build(),
                                Optional.empty(),
                                Map.of()));
    }

    private static EngineSpec cards(EngineSpec engine, int count) {
        return new EngineSpec(
                engine.model(),
                engine.servedModelName(),
                engine.gpu(),
                engine.computeCapability(),
                count,
                1,
                engine.maxModelLen(),
                engine.quantization(),
                engine.fastBoot(),
                engine.version(),
                List.of(),
                engine.containerImage(),
                engine.apiKey(),
                engine.secrets());
    }

    private static ServerlessSpec with(
            ServerlessSpec spec,
            EngineSpec engine,
            ScalingPolicy.Serverless scaling,
            Optional<String> region,
            Map<String, String> options) {
        return new ServerlessSpec(spec.deployment(), engine, scaling, region, spec.publicAccess(), options);
    }
}
