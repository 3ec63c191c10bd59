package dev.tuna.provider.cloudrun;

import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.contract.ContractContext;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the provider is asked for in tests. */
final class Specs {

    private Specs() {}

    static ServerlessSpec of(String deployment) {
        return new ServerlessSpec(
                deployment,
                engine(deployment),
                ScalingPolicy.Serverless.builder().build(),
                Optional.empty(),
                false,
                Map.of());
    }

    private static EngineSpec engine(String deployment) {
        return new EngineSpec(
                "contract/tiny",
                deployment,
                "L4",
                Optional.of("8.9"),
                1,
                1,
                4096,
                Optional.empty(),
                false,
                Optional.empty(),
                List.of(),
                Optional.empty(),
                Optional.of(ContractContext.ENGINE_KEY),
                Map.of("HF_TOKEN", ContractContext.MODEL_TOKEN));
    }

    static EngineSpec on(EngineSpec engine, String gpu, int count) {
        return engine(engine, gpu, count, engine.arguments(), engine.secrets());
    }

    static EngineSpec model(EngineSpec engine, String model) {
        return new EngineSpec(
                model,
                engine.servedModelName(),
                engine.gpu(),
                engine.computeCapability(),
                engine.gpuCount(),
                engine.tpSize(),
                engine.maxModelLen(),
                engine.quantization(),
                engine.fastBoot(),
                engine.version(),
                engine.arguments(),
                engine.containerImage(),
                engine.apiKey(),
                engine.secrets());
    }

    static EngineSpec withoutKey(EngineSpec engine) {
        return new EngineSpec(
                engine.model(),
                engine.servedModelName(),
                engine.gpu(),
                engine.computeCapability(),
                engine.gpuCount(),
                engine.tpSize(),
                engine.maxModelLen(),
                engine.quantization(),
                engine.fastBoot(),
                engine.version(),
                engine.arguments(),
                engine.containerImage(),
                Optional.empty(),
                engine.secrets());
    }

    static EngineSpec arguments(EngineSpec engine, String... arguments) {
        return engine(engine, engine.gpu(), engine.gpuCount(), List.of(arguments), engine.secrets());
    }

    static EngineSpec secrets(EngineSpec engine, Map<String, SecretRef> secrets) {
        return engine(engine, engine.gpu(), engine.gpuCount(), engine.arguments(), secrets);
    }

    private static EngineSpec engine(
            EngineSpec engine, String gpu, int count, List<String> arguments, Map<String, SecretRef> secrets) {
        return new EngineSpec(
                engine.model(),
                engine.servedModelName(),
                gpu,
                Optional.empty(),
                count,
                1,
                engine.maxModelLen(),
                engine.quantization(),
                engine.fastBoot(),
                engine.version(),
                arguments,
                engine.containerImage(),
                engine.apiKey(),
                secrets);
    }

    static ServerlessSpec in(ServerlessSpec spec, String region) {
        return new ServerlessSpec(
                spec.deployment(),
                spec.engine(),
                spec.scaling(),
                Optional.of(region),
                spec.publicAccess(),
                spec.options());
    }

    static ServerlessSpec with(ServerlessSpec spec, EngineSpec engine) {
        return new ServerlessSpec(
                spec.deployment(), engine, spec.scaling(), spec.region(), spec.publicAccess(), spec.options());
    }

    static ServerlessSpec with(ServerlessSpec spec, ScalingPolicy.Serverless scaling) {
        return new ServerlessSpec(
                spec.deployment(), spec.engine(), scaling, spec.region(), spec.publicAccess(), spec.options());
    }

    static ServerlessSpec with(ServerlessSpec spec, Map<String, String> options) {
        return new ServerlessSpec(
                spec.deployment(), spec.engine(), spec.scaling(), spec.region(), spec.publicAccess(), options);
    }

    static ServerlessSpec open(ServerlessSpec spec) {
        return new ServerlessSpec(
                spec.deployment(), spec.engine(), spec.scaling(), spec.region(), true, spec.options());
    }
}
