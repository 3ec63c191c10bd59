package dev.tuna.core.catalog;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.core.text.Suggestions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Finds a GPU by whatever people call it: case, blanks, hyphens, underscores and a leading {@code NVIDIA} do not matter.
 * Pure.
 *
 * <p>Memory and architecture are from the vendor's data sheets, compute capabilities from its list of CUDA GPUs
 * (developer.nvidia.com/cuda-gpus).
 */
public final class GpuNames {

    private static final List<GpuSpec> TABLE = List.of(
            gpu("T4", "NVIDIA T4", 16, "Turing", "7.5", "Tesla T4"),
            gpu("A4000", "NVIDIA RTX A4000", 16, "Ampere", "8.6", "RTX A4000"),
            gpu("A5000", "NVIDIA RTX A5000", 24, "Ampere", "8.6", "RTX A5000"),
            gpu("RTX4090", "NVIDIA GeForce RTX 4090", 24, "Ada Lovelace", "8.9", "4090", "GeForce RTX 4090"),
            gpu("A10", "NVIDIA A10", 24, "Ampere", "8.6"),
            gpu("A10G", "NVIDIA A10G", 24, "Ampere", "8.6"),
            gpu("L4", "NVIDIA L4", 24, "Ada Lovelace", "8.9"),
            gpu("A100_40GB", "NVIDIA A100 40GB", 40, "Ampere", "8.0", "A100-40", "A100 PCIe 40GB", "A100 SXM4 40GB"),
            gpu("H100_MIG", "NVIDIA H100 MIG 3g.40gb", 40, "Hopper", "9.0", "H100 MIG 40GB"),
            gpu("A40", "NVIDIA A40", 48, "Ampere", "8.6"),
            gpu("A6000", "NVIDIA RTX A6000", 48, "Ampere", "8.6", "RTX A6000"),
            gpu("L40", "NVIDIA L40", 48, "Ada Lovelace", "8.9"),
            gpu("L40S", "NVIDIA L40S", 48, "Ada Lovelace", "8.9"),
            gpu(
                    "A100_80GB",
                    "NVIDIA A100 80GB",
                    80,
                    "Ampere",
                    "8.0",
                    "A100",
                    "A100-80",
                    "A100 PCIe 80GB",
                    "A100 SXM4 80GB"),
            gpu("H100", "NVIDIA H100", 80, "Hopper", "9.0", "H100-80GB", "H100 PCIe", "H100 SXM"),
            gpu(
                    "RTX_PRO_6000",
                    "NVIDIA RTX PRO 6000 Blackwell",
                    96,
                    "Blackwell",
                    "12.0",
                    "RTX PRO 6000 Blackwell",
                    "PRO 6000"),
            gpu("H200", "NVIDIA H200", 141, "Hopper", "9.0", "H200 SXM"),
            gpu("B200", "NVIDIA B200", 192, "Blackwell", "10.0"));

    private static final Map<String, GpuSpec> BY_NAME = index();

    private GpuNames() {}

    /**
     * Every GPU that is known, smallest memory first.
     *
     * @return the table
     */
    public static List<GpuSpec> all() {
        return TABLE;
    }

    /**
     * Looks a GPU up.
     *
     * @param name canonical name or alias, in any case and spelling
     * @return the GPU; empty if it is not known
     */
    public static Optional<GpuSpec> find(String name) {
        return Optional.ofNullable(BY_NAME.get(normal(name)));
    }

    /**
     * Looks up a GPU that must be known.
     *
     * @param name canonical name or alias, in any case and spelling
     * @return the GPU
     * @throws ConfigurationException if it is not known, naming the nearest known ones
     */
    public static GpuSpec require(String name) {
        return find(name).orElseThrow(() -> {
            List<String> names = TABLE.stream().map(GpuSpec::name).toList();
            return new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    "gpu '" + name + "' is not known; " + Suggestions.didYouMean(name, names) + "known are "
                            + String.join(", ", names));
        });
    }

    private static GpuSpec gpu(
            String name,
            String fullName,
            int vramGib,
            String architecture,
            String computeCapability,
            String... aliases) {
        return new GpuSpec(name, fullName, List.of(aliases), vramGib, architecture, computeCapability);
    }

    private static Map<String, GpuSpec> index() {
        var index = new LinkedHashMap<String, GpuSpec>();
        for (GpuSpec gpu : TABLE) {
            index.put(normal(gpu.name()), gpu);
            index.put(normal(gpu.fullName()), gpu);
            gpu.aliases().forEach(alias -> index.put(normal(alias), gpu));
        }
        return Map.copyOf(index);
    }

    private static String normal(String name) {
        String letters = name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "");
        return letters.startsWith("nvidia") ? letters.substring("nvidia".length()) : letters;
    }
}
