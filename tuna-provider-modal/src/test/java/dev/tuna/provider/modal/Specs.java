package dev.tuna.provider.modal;

import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ServerlessSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** What tests ask for. */
final class Specs {

    static final SecretRef KEY = new SecretRef("contract/engine-key");
    static final SecretRef TOKEN = new SecretRef("contract/model-token");

    private Specs() {}

    static ServerlessSpec of(String deployment) {
        return of(deployment, engine("L4", 1), scaling -> scaling, Optional.empty(), false, Map.of());
    }

    static ServerlessSpec of(
            String deployment,
            EngineSpec engine,
            UnaryOperator<ScalingPolicy.Serverless.Builder> scaling,
            Optional<String> region,
            boolean open,
            Map<String, String> options) {
        return new ServerlessSpec(
                deployment,
                engine,
                scaling.apply(ScalingPolicy.Serverless.builder()).build(),
                region,
                open,
                options);
    }

    static ServerlessSpec scaled(String deployment, UnaryOperator<ScalingPolicy.Serverless.Builder> scaling) {
        return of(deployment, engine("L4", 1), scaling, Optional.empty(), false, Map.of());
    }

    static ServerlessSpec with(String deployment, Map<String, String> options) {
        return of(deployment, engine("L4", 1), scaling -> scaling, Optional.empty(), false, options);
    }

    /** An image of the user's own may know options that nobody else does. */
    static EngineSpec withImage(String image, String... arguments) {
        EngineSpec plain = engine("L4", 1, arguments);
        return new EngineSpec(
                plain.model(),
                plain.servedModelName(),
                plain.gpu(),
                plain.computeCapability(),
                1,
                1,
                plain.maxModelLen(),
                Optional.empty(),
                false,
                Optional.empty(),
                plain.arguments(),
                Optional.of(image),
                plain.apiKey(),
                plain.secrets());
    }

    static EngineSpec engine(String gpu, int count, String... arguments) {
        return new EngineSpec(
                "tiny/model",
                "tiny",
                gpu,
                Optional.of(gpu.equals("T4") ? "7.5" : "8.9"),
                count,
                count,
                4096,
                Optional.empty(),
                false,
                Optional.empty(),
                List.of(arguments),
                Optional.empty(),
                Optional.of(KEY),
                Map.of("HF_TOKEN", TOKEN));
    }
}
