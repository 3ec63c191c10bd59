package dev.tuna.provider.support.vllm;

import dev.tuna.api.SecretRef;
import dev.tuna.spi.EngineSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Engines for tests, each made from another one by one change. */
record Engine(
        String model,
        String capability,
        int gpus,
        Optional<String> quantization,
        boolean fast,
        Optional<String> version,
        List<String> arguments,
        Optional<String> image) {

    static Engine plain() {
        return new Engine(
                "org/model", "8.9", 1, Optional.empty(), false, Optional.empty(), List.of(), Optional.empty());
    }

    EngineSpec spec() {
        return new EngineSpec(
                model,
                "chat",
                "L4",
                Optional.of(capability).filter(text -> !text.isEmpty()),
                gpus,
                gpus,
                8192,
                quantization,
                fast,
                version,
                arguments,
                image,
                Optional.of(new SecretRef("engine-key")),
                Map.of("HF_TOKEN", new SecretRef("hf")));
    }

    Engine model(String other) {
        return new Engine(other, capability, gpus, quantization, fast, version, arguments, image);
    }

    Engine capability(String other) {
        return new Engine(model, other, gpus, quantization, fast, version, arguments, image);
    }

    Engine gpus(int other) {
        return new Engine(model, capability, other, quantization, fast, version, arguments, image);
    }

    Engine quantized(String method) {
        return new Engine(model, capability, gpus, Optional.of(method), fast, version, arguments, image);
    }

    Engine fastBoot() {
        return new Engine(model, capability, gpus, quantization, true, version, arguments, image);
    }

    Engine version(String other) {
        return new Engine(model, capability, gpus, quantization, fast, Optional.of(other), arguments, image);
    }

    Engine arguments(String... others) {
        return new Engine(model, capability, gpus, quantization, fast, version, List.of(others), image);
    }

    Engine image(String other) {
        return new Engine(model, capability, gpus, quantization, fast, version, arguments, Optional.of(other));
    }
}
