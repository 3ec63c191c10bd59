package dev.tuna.provider.runpod;

import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.contract.ContractContext;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** What is asked for in tests: one small endpoint, changed one thing at a time. Immutable from outside. */
final class Specs implements Cloneable {

    private final String deployment;
    private String model = "contract/tiny";
    private String gpu = "L4";
    private int gpuCount = 1;
    private Optional<String> version = Optional.empty();
    private List<String> arguments = List.of();
    private Optional<String> image = Optional.empty();
    private Optional<String> quantization = Optional.empty();
    private boolean fast;
    private Map<String, SecretRef> secrets = Map.of("HF_TOKEN", ContractContext.MODEL_TOKEN);
    private ScalingPolicy.Serverless scaling =
            ScalingPolicy.Serverless.builder().build();
    private Optional<String> region = Optional.empty();
    private boolean publicAccess;
    private Map<String, String> options = Map.of();

    private Specs(String deployment) {
        this.deployment = deployment;
    }

    static Specs named(String deployment) {
        return new Specs(deployment);
    }

    /** On RunPod's queue, with a version that its worker has. */
    static Specs queued(String deployment) {
        return named(deployment).option("endpoint_type", "queue").version("0.27.1");
    }

    ServerlessSpec spec() {
        EngineSpec engine = new EngineSpec(
                model,
                deployment,
                gpu,
                Optional.of("8.9"),
                gpuCount,
                gpuCount,
                4096,
                quantization,
                fast,
                version,
                arguments,
                image,
                Optional.of(ContractContext.ENGINE_KEY),
                secrets);
        return new ServerlessSpec(deployment, engine, scaling, region, publicAccess, options);
    }

    private Specs with(Consumer<Specs> change) {
        try {
            Specs copy = (Specs) clone();
            change.accept(copy);
            return copy;
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }

    Specs gpu(String other, int count) {
        return with(copy -> {
            copy.gpu = other;
            copy.gpuCount = count;
        });
    }

    Specs model(String other) {
        return with(copy -> copy.model = other);
    }

    Specs version(String other) {
        return with(copy -> copy.version = Optional.of(other));
    }

    Specs arguments(String... words) {
        return with(copy -> copy.arguments = List.of(words));
    }

    Specs image(String other) {
        return with(copy -> copy.image = Optional.of(other));
    }

    Specs quantization(String method) {
        return with(copy -> copy.quantization = Optional.of(method));
    }

    Specs fast() {
        return with(copy -> copy.fast = true);
    }

    Specs secret(String variable, SecretRef ref) {
        return with(copy -> {
            copy.secrets = new HashMap<>(secrets);
            copy.secrets.put(variable, ref);
        });
    }

    ScalingPolicy.Serverless scaling() {
        return scaling;
    }

    Specs scaling(ScalingPolicy.Serverless other) {
        return with(copy -> copy.scaling = other);
    }

    Specs region(String other) {
        return with(copy -> copy.region = Optional.of(other));
    }

    Specs open() {
        return with(copy -> copy.publicAccess = true);
    }

    Specs option(String key, String value) {
        return with(copy -> {
            copy.options = new HashMap<>(options);
            copy.options.put(key, value);
        });
    }
}
