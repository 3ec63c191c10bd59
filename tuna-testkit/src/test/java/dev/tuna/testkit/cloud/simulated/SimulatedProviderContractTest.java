package dev.tuna.testkit.cloud.simulated;

import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessProvider;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.cloud.plugin.Impossible;
import dev.tuna.testkit.contract.Ability;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.contract.ServerlessProviderContract;
import dev.tuna.testkit.time.VirtualTime;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

class SimulatedProviderContractTest extends ServerlessProviderContract {

    private final VirtualTime time = VirtualTime.create();
    private final SimulatedCloud cloud = SimulatedCloud.on(time);
    private final SimulatedCloud unreachable = SimulatedCloud.on(time);

    SimulatedProviderContractTest() {
        cloud.engineStop(Duration.ofSeconds(2));
        unreachable.faults(call -> Optional.of(CallFault.timeout()));
    }

    @Override
    protected ServerlessProvider provider() {
        ServerlessProvider works = cloud.serverless();
        ServerlessProvider broken = unreachable.serverless();
        return new ServerlessProvider() {
            @Override
            public String name() {
                return works.name();
            }

            @Override
            public ServerlessCloud open(ProviderContext context) {
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
    protected Map<String, ServerlessSpec> impossibleSpecs() {
        return Impossible.serverless();
    }
}
