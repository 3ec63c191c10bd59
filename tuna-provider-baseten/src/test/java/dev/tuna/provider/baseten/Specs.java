package dev.tuna.provider.baseten;

import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ServerlessSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** What is asked for in tests, one thing changed at a time. Immutable. */
record Specs(
        String deployment,
        String model,
        String gpu,
        int gpuCount,
        List<String> arguments,
        Map<String, SecretRef> secrets,
        ScalingPolicy.Serverless scaling,
        Optional<String> region,
        boolean publicAccess,
        Map<String, String> options) {

    static Specs of(String deployment) {
        return new Specs(
                deployment,
                "acme/tiny",
                "L4",
                1,
                List.of(),
                Map.of(),
                ScalingPolicy.Serverless.builder().build(),
                Optional.empty(),
                false,
                Map.of());
    }

    Specs model(String other) {
        return new Specs(deployment, other, gpu, gpuCount, arguments, secrets, scaling, region, publicAccess, options);
    }

    Specs on(int count, String card) {
        return new Specs(deployment, model, card, count, arguments, secrets, scaling, region, publicAccess, options);
    }

    Specs arguments(String... words) {
        return new Specs(
                deployment, model, gpu, gpuCount, List.of(words), secrets, scaling, region, publicAccess, options);
    }

    Specs secret(String variable, SecretRef ref) {
        return new Specs(
                deployment,
                model,
                gpu,
                gpuCount,
                arguments,
                Map.of(variable, ref),
                scaling,
                region,
                publicAccess,
                options);
    }

    Specs scaling(UnaryOperator<ScalingPolicy.Serverless.Builder> change) {
        return new Specs(
                deployment,
                model,
                gpu,
                gpuCount,
                arguments,
                secrets,
                change.apply(scaling.toBuilder()).build(),
                region,
                publicAccess,
                options);
    }

    Specs region(String where) {
        return new Specs(
                deployment,
                model,
                gpu,
                gpuCount,
                arguments,
                secrets,
                scaling,
                Optional.of(where),
                publicAccess,
                options);
    }

    Specs open() {
        return new Specs(deployment, model, gpu, gpuCount, arguments, secrets, scaling, region, true, options);
    }

    Specs option(String key, String value) {
        return new Specs(
                deployment,
                model,
                gpu,
                gpuCount,
                arguments,
                secrets,
                scaling,
                region,
                publicAccess,
                Map.of(key, value));
    }

    ServerlessSpec spec() {
        EngineSpec engine = new EngineSpec(
                model,
                model,
                gpu,
                Optional.of(gpu.equals("T4") ? "7.5" : "8.9"),
                gpuCount,
                gpuCount,
                4096,
                Optional.empty(),
                true,
                Optional.empty(),
                arguments,
                Optional.empty(),
                Optional.of(new SecretRef("deployments/x/engine-key")),
                secrets);
        return new ServerlessSpec(deployment, engine, scaling, region, publicAccess, options);
    }
}
