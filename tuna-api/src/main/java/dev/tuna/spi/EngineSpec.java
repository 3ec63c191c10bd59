package dev.tuna.spi;

import dev.tuna.api.SecretRef;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The model server that every backend of a deployment runs, the same on every tier.
 *
 * @param model Hugging Face id or path
 * @param servedModelName the name that requests use and answers carry
 * @param gpu canonical GPU name
 * @param computeCapability the GPU's CUDA compute capability, for instance {@code 8.9}; empty if unknown. Engines must not
 *     use numbers that the GPU cannot compute with: bfloat16 came with 8.0
 * @param gpuCount GPUs of one machine, 1 or more
 * @param tpSize tensor-parallel size, 1 to {@code gpuCount}
 * @param maxModelLen context window in tokens
 * @param quantization quantization method, if any
 * @param fastBoot whether to trade steady speed for an earlier first answer; true on the cold-start tier only
 * @param version version of the model server; empty for the newest known to work
 * @param arguments further arguments, one word each
 * @param containerImage image to run instead of the engine's own
 * @param apiKey the key that the model server demands of the router; empty if the provider guards the endpoint itself
 * @param secrets environment variables whose values are secrets
 */
public record EngineSpec(
        String model,
        String servedModelName,
        String gpu,
        Optional<String> computeCapability,
        int gpuCount,
        int tpSize,
        int maxModelLen,
        Optional<String> quantization,
        boolean fastBoot,
        Optional<String> version,
        List<String> arguments,
        Optional<String> containerImage,
        Optional<SecretRef> apiKey,
        Map<String, SecretRef> secrets) {

    private static final Pattern CAPABILITY = Pattern.compile("\\d{1,2}\\.\\d");

    /** Copies collections and checks that the compute capability is one. */
    public EngineSpec {
        Objects.requireNonNull(model, "model");
        Objects.requireNonNull(servedModelName, "servedModelName");
        Objects.requireNonNull(gpu, "gpu");
        computeCapability
                .filter(capability -> !CAPABILITY.matcher(capability).matches())
                .ifPresent(capability -> {
                    throw new IllegalArgumentException("compute capability '" + capability + "' must look like '8.9'");
                });
        Objects.requireNonNull(quantization, "quantization");
        Objects.requireNonNull(version, "version");
        arguments = List.copyOf(arguments);
        Objects.requireNonNull(containerImage, "containerImage");
        Objects.requireNonNull(apiKey, "apiKey");
        secrets = Map.copyOf(secrets);
    }

    /**
     * The same engine with other further arguments.
     *
     * @param others one word each
     * @return a copy
     */
    public EngineSpec withArguments(List<String> others) {
        return new EngineSpec(
                model,
                servedModelName,
                gpu,
                computeCapability,
                gpuCount,
                tpSize,
                maxModelLen,
                quantization,
                fastBoot,
                version,
                others,
                containerImage,
                apiKey,
                secrets);
    }
}
