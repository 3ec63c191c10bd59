package dev.tuna.testkit.cloud.plugin;

import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.SpotProvider;
import dev.tuna.testkit.cloud.LocalCloud;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.contract.SpotProviderContract;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;

class LocalSpotProviderContractTest extends SpotProviderContract {

    private static LocalCloud cloud;

    @BeforeAll
    static void start() {
        cloud = LocalCloud.builder().startInProcess();
    }

    @AfterAll
    static void stop() {
        cloud.close();
    }

    @AfterEach
    void refill() {
        cloud.snapshot().pools().forEach(pool -> cloud.setCapacity(pool.id(), 8));
    }

    @Override
    protected SpotProvider provider() {
        return new LocalSpotProvider();
    }

    @Override
    protected ContractContext context() {
        return ContractContext.create().withSetting("url", cloud.uri().toString());
    }

    @Override
    protected ContractContext broken(ContractContext working) {
        return working.withSetting("url", "http://127.0.0.1:1");
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
