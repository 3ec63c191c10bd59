package dev.tuna.testkit.cloud.plugin;

import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ServerlessSpec;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the tests deploy. */
public final class Specs {

    public static final SecretRef KEY = new SecretRef("deployments/chat/key");

    private Specs() {}

    public static EngineSpec engine(String... arguments) {
        return new EngineSpec(
                "org/model",
                "chat",
                "L4",
                Optional.of("8.9"),
                1,
                1,
                4096,
                Optional.empty(),
                false,
                Optional.empty(),
                List.of(arguments),
                Optional.empty(),
                Optional.of(KEY),
                Map.of());
    }

    public static ServerlessSpec serverless(EngineSpec engine, ScalingPolicy.Serverless scaling) {
        return new ServerlessSpec("chat", engine, scaling, Optional.empty(), false, Map.of());
    }

    public static ScalingPolicy.Serverless window(Duration window) {
        return ScalingPolicy.Serverless.builder().scaledownWindow(window).build();
    }

    public static ReplicaSpec replica(EngineSpec engine) {
        return new ReplicaSpec("chat", engine, List.of(), Duration.ofMinutes(10), Map.of());
    }
}
