package dev.tuna.testkit.contract;

import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.SpotProvider;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;

/** The contract holds for a cloud in memory; {@link ContractsCanFailTest} runs it again with flaws. */
class FakeSpotProviderTest extends SpotProviderContract {

    private final Optional<Flaw> flaw = ContractsCanFailTest.flaw();
    private final Outside outside = new Outside();

    @AfterEach
    void close() {
        outside.close();
    }

    @Override
    protected SpotProvider provider() {
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
    protected Map<String, ReplicaSpec> impossibleSpecs() {
        ReplicaSpec spec = spec("tuna-impossible");
        return Map.of(
                "a GPU it has not",
                new ReplicaSpec(
                        spec.deployment(),
                        ContractsCanFailTest.withStrangeGpu(spec.engine()),
                        spec.regions(),
                        spec.orphanTimeout(),
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

    @Override
    protected void runDry(List<CapacityPool> pools) {
        outside.runDry(pools);
    }

    @Override
    protected void interrupt(ResourceRef replica) {
        outside.notice(replica);
    }

    @Override
    protected void recommendRebalance(ResourceRef replica) {
        outside.recommend(replica);
    }

    @Override
    protected void lose(ResourceRef replica) {
        outside.end(replica);
    }
}
