package dev.tuna.testkit.cloud.plugin;

import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ServerlessSpec;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** Specs that the local cloud cannot honour. */
public final class Impossible {

    private Impossible() {}

    public static Map<String, ServerlessSpec> serverless() {
        ServerlessSpec good = Specs.serverless(Specs.engine(), Specs.window(Duration.ofMinutes(1)));
        return Map.of(
                "a container image",
                new ServerlessSpec("chat", withImage(), good.scaling(), Optional.empty(), false, Map.of()),
                "a region that there is not",
                new ServerlessSpec("chat", good.engine(), good.scaling(), Optional.of("mars-1"), false, Map.of()),
                "an option that there is not",
                new ServerlessSpec(
                        "chat", good.engine(), good.scaling(), Optional.empty(), false, Map.of("colour", "red")));
    }

    public static Map<String, ReplicaSpec> replicas() {
        ReplicaSpec good = Specs.replica(Specs.engine());
        return Map.of(
                "a container image",
                Specs.replica(withImage()),
                "an option that there is not",
                new ReplicaSpec("chat", good.engine(), good.regions(), good.orphanTimeout(), Map.of("colour", "red")));
    }

    private static EngineSpec withImage() {
        EngineSpec engine = Specs.engine();
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
                Optional.of("example/image:1"),
                engine.apiKey(),
                engine.secrets());
    }
}
