package dev.tuna.spot.aws;

import dev.tuna.api.Tier;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.SpotProvider;
import dev.tuna.testkit.aws.Market;
import dev.tuna.testkit.aws.Pool;
import dev.tuna.testkit.contract.ContractContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;

/** What every cloud must hold to, through the real AWS SDK against a stand-in of AWS (parity T-01, X-01 to X-03). */
class AwsContractTest extends AwsContract {

    @SuppressWarnings("NullAway.Init") // set before the first test
    private static Aws aws;

    private final List<CapacityPool> dry = new ArrayList<>();

    @BeforeAll
    static void start() {
        aws = Aws.serving();
    }

    @AfterAll
    static void stop() {
        aws.close();
    }

    @AfterEach
    void restock() {
        dry.forEach(pool -> aws.cloud().stock(pool(pool), 1000));
    }

    @Override
    protected SpotProvider provider() {
        return aws.provider();
    }

    @Override
    protected ContractContext context() {
        return aws.context();
    }

    private static Pool pool(CapacityPool pool) {
        return new Pool(pool.zone(), pool.machineType(), pool.tier() == Tier.SPOT ? Market.SPOT : Market.ON_DEMAND);
    }

    @Override
    protected void runDry(List<CapacityPool> pools) {
        Set.copyOf(pools).forEach(pool -> {
            dry.add(pool);
            aws.cloud().stock(pool(pool), 0);
        });
    }

    @Override
    protected void interrupt(ResourceRef replica) {
        aws.cloud().interrupt(Names.id(replica));
    }

    @Override
    protected void recommendRebalance(ResourceRef replica) {
        aws.cloud().rebalance(Names.id(replica));
    }

    @Override
    protected void lose(ResourceRef replica) {
        aws.cloud().reclaim(Names.id(replica));
    }
}
