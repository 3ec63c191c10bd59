package dev.tuna.spot.aws;

import dev.tuna.api.Secret;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.testkit.contract.Ability;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.contract.SpotProviderContract;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** What every cloud must hold to, as far as it is the same against every stand-in of AWS. */
abstract class AwsContract extends SpotProviderContract {

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
}
