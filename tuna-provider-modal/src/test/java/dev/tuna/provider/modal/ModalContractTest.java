package dev.tuna.provider.modal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.ScalingPolicy;
import dev.tuna.spi.ServerlessProvider;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.contract.ServerlessProviderContract;
import dev.tuna.testkit.modal.ModalStandIn;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract, with processes for every command. Covers P-01 to P-05. */
class ModalContractTest extends ServerlessProviderContract {

    private static ModalStandIn vendor;

    @BeforeAll
    static void start() {
        vendor = ModalStandIn.builder().start();
    }

    @AfterAll
    static void stop() {
        vendor.close();
        Wire.checkCommands(vendor);
        assertThat(vendor.apps()).as("apps left over").isEmpty();
        assertThat(vendor.volumes()).as("volumes left over").isEmpty();
    }

    @Override
    protected ServerlessProvider provider() {
        return new ModalProvider();
    }

    @Override
    protected ContractContext context() {
        return Contexts.of(vendor);
    }

    @Override
    protected ContractContext broken(ContractContext working) {
        return Contexts.withWrongToken(working);
    }

    @Override
    protected Map<String, ServerlessSpec> impossibleSpecs() {
        ServerlessSpec fine = spec("tuna-a");
        return Map.of(
                "a region that is none",
                with(fine, Optional.of("Mars 1"), fine.scaling(), Map.of()),
                "an option nobody knows",
                with(fine, Optional.empty(), fine.scaling(), Map.of("gpu_pool", "ADA_24")),
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
