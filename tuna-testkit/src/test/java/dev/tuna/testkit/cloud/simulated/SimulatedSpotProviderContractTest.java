package dev.tuna.testkit.cloud.simulated;

import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.SpotCloud;
import dev.tuna.spi.SpotProvider;
import dev.tuna.testkit.cloud.model.CloudSettings;
import dev.tuna.testkit.cloud.plugin.Impossible;
import dev.tuna.testkit.contract.Ability;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.contract.SpotProviderContract;
import dev.tuna.testkit.time.VirtualTime;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

class SimulatedSpotProviderContractTest extends SpotProviderContract {

    private final VirtualTime time = VirtualTime.create();
    private final SimulatedCloud cloud =
            SimulatedCloud.on(time, CloudSettings.DEFAULT.withBootDelay(Duration.ofSeconds(20)));
    private final SimulatedCloud unreachable = SimulatedCloud.on(time);

    SimulatedSpotProviderContractTest() {
        cloud.engineStop(Duration.ofSeconds(2));
        unreachable.faults(call -> Optional.of(CallFault.timeout()));
    }

    @Override
    protected SpotProvider provider() {
        SpotProvider works = cloud.spot();
        SpotProvider broken = unreachable.spot();
        return new SpotProvider() {
            @Override
            public String name() {
                return works.name();
            }

            @Override
            public SpotCloud open(ProviderContext context) {
                return (context.settings().containsKey("broken") ? broken : works).open(context);
            }
        };
    }

    @Override
    protected ContractContext context() {
        return ContractContext.create().withClock(time);
    }

    @Override
    protected ContractContext broken(ContractContext working) {
        return working.withSetting("broken", "yes");
    }

    @Override
    protected Map<Ability, String> cannot() {
        return Map.of(
                Ability.LOAD_AS_SERVICE, "it is passed by hand, with the time it lives on",
                Ability.SERVE_REQUESTS, "its addresses lead nowhere");
    }

    @Override
    protected boolean eventually(BooleanSupplier condition) {
        for (int second = 0; second < patience().toSeconds() && !condition.getAsBoolean(); second++) {
            time.advance(Duration.ofSeconds(1));
        }
        return condition.getAsBoolean();
    }

    @Override
    protected Map<String, ReplicaSpec> impossibleSpecs() {
        return Impossible.replicas();
    }

    @Override
    protected void runDry(List<CapacityPool> pools) {
        pools.forEach(pool -> cloud.setCapacity(pool.zone() + "/" + pool.machineType() + "/" + pool.tier(), 0));
    }

    @Override
    protected void interrupt(ResourceRef replica) {
        cloud.interrupt(replica.id(), Duration.ofMinutes(2));
    }

    @Override
    protected void recommendRebalance(ResourceRef replica) {
        cloud.recommendRebalance(replica.id());
    }

    @Override
    protected void lose(ResourceRef replica) {
        cloud.lose(replica.id());
    }
}
