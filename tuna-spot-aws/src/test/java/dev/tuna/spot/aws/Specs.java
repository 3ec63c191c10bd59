package dev.tuna.spot.aws;

import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.testkit.contract.ContractContext;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Requests for tests. */
final class Specs {

    private Specs() {}

    static EngineSpec engine(String gpu, int count) {
        return new EngineSpec(
                "contract/tiny",
                "tiny",
                gpu,
                Optional.of("8.9"),
                count,
                count,
                4096,
                Optional.empty(),
                false,
                Optional.empty(),
                List.of(),
                Optional.empty(),
                Optional.of(ContractContext.ENGINE_KEY),
                Map.of("HF_TOKEN", ContractContext.MODEL_TOKEN));
    }

    static ReplicaSpec of(String deployment) {
        return of(deployment, "L4", 1, Map.of());
    }

    static ReplicaSpec of(String deployment, String gpu, int count, Map<String, String> options) {
        return new ReplicaSpec(deployment, engine(gpu, count), List.of(), Duration.ofMinutes(15), options);
    }
}
