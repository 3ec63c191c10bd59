package dev.tuna.testkit.contract;

import dev.tuna.spi.ServerlessProvider;
import dev.tuna.spi.ServerlessSpec;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;

/** The contract holds for a cloud in memory; {@link ContractsCanFailTest} runs it again with flaws. */
class FakeServerlessProviderTest extends ServerlessProviderContract {

    private final Optional<Flaw> flaw = ContractsCanFailTest.flaw();
    private final Outside outside = new Outside();

    @AfterEach
    void close() {
        outside.close();
    }

    @Override
    protected ServerlessProvider provider() {
        return flaw.filter(Flaw.HOLDS_STATE::equals).isPresent()
                ? new FakeProvider.WithState(outside)
                : new FakeProvider(outside, flaw);
    }

    @Override
    protected ContractContext context() {
        return ContractContext.create().withClock(outside.time).withSetting("region", "east");
    }

    @Override
    protected ContractContext broken(ContractContext working) {
        return working.withSetting("broken", "yes");
    }

    @Override
    protected Map<String, ServerlessSpec> impossibleSpecs() {
        ServerlessSpec spec = spec("tuna-impossible");
        return Map.of(
                "a GPU it has not",
                new ServerlessSpec(
                        spec.deployment(),
                        ContractsCanFailTest.withStrangeGpu(spec.engine()),
                        spec.scaling(),
                        spec.region(),
                        spec.publicAccess(),
                        spec.options()));
    }

    @Override
    protected Map<Ability, String> cannot() {
        return ContractsCanFailTest.cannot(flaw);
    }

    @Override
    protected boolean eventually(BooleanSupplier condition) {
        return ContractsCanFailTest.eventually(outside, condition);
    }
}
