package dev.tuna.provider.runpod;

import dev.tuna.spi.EngineSpec;
import java.util.ArrayList;
import java.util.List;

/** What follows {@code vllm serve}, the entry point of vLLM's image. Pure. */
final class VllmArguments {

    private VllmArguments() {}

    static List<String> of(EngineSpec engine, String port) {
        List<String> words = new ArrayList<>();
        words.add(engine.model());
        words.addAll(List.of("--served-model-name", engine.servedModelName()));
        words.addAll(List.of("--max-model-len", Integer.toString(engine.maxModelLen())));
        words.addAll(List.of("--tensor-parallel-size", Integer.toString(engine.tpSize())));
        words.addAll(List.of("--port", port));
        engine.quantization().ifPresent(method -> words.addAll(List.of("--quantization", method)));
        if (engine.fastBoot()) {
            words.add("--enforce-eager");
        }
        words.addAll(engine.arguments());
        return words;
    }
}
