package dev.tuna.spot.aws;

import dev.tuna.api.Secret;
import dev.tuna.api.Tier;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.SpotProvider;
import dev.tuna.testkit.aws.Market;
import dev.tuna.testkit.aws.Pool;
import dev.tuna.testkit.contract.Ability;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.contract.SpotProviderContract;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;

/** What every cloud must hold to, through the real AWS SDK against a stand-in of AWS (parity T-01, X-01 to X-03). */
class AwsContractTest extends SpotProviderContract {

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

    @Override
    protected ContractContext broken(ContractContext working) {
        return working.withSecret(
                        "aws/wrong",
                        Aws.keys(Secret.of("AKIAWRONG00000000000"), Secret.of("wrong-" + working.ownerId())))
                .withSetting("credentials_secret", "aws/wrong");
    }

    @Override
    protected Map<Ability, String> cannot() {
        return Map.of();
    }

    @Override
    protected Map<String, ReplicaSpec> impossibleSpecs() {
        ReplicaSpec good = spec("impossible");
        EngineSpec engine = good.engine().withArguments(List.of("--no-such-flag"));
        return Map.of(
                "an option that is not known", with(good, Map.of("spot_price", "1")),
                "a port that is none", with(good, Map.of("port", "70000")),
                "one image for three regions", with(good, Map.of("ami", "ami-1")),
                "an engine argument that is not known",
                        new ReplicaSpec(good.deployment(), engine, List.of(), good.orphanTimeout(), Map.of()));
    }

    private static ReplicaSpec with(ReplicaSpec spec, Map<String, String> options) {
        return new ReplicaSpec(spec.deployment(), spec.engine(), spec.regions(), Duration.ofMinutes(15), options);
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
