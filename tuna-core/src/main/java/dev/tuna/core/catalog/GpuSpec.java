package dev.tuna.core.catalog;

import java.util.List;
import java.util.Objects;

/**
 * A kind of GPU.
 *
 * @param name canonical name, as requests, offers and reports carry it, for instance {@code A100_80GB}
 * @param fullName the vendor's name
 * @param aliases other names that people use for it
 * @param vramGib memory of one GPU in GiB, as the vendor states it
 * @param architecture the vendor's name for the generation, for instance {@code Ada Lovelace}
 * @param computeCapability CUDA compute capability, for instance {@code 8.9}
 */
public record GpuSpec(
        String name,
        String fullName,
        List<String> aliases,
        int vramGib,
        String architecture,
        String computeCapability) {

    /** Copies the list. */
    public GpuSpec {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(fullName, "fullName");
        aliases = List.copyOf(aliases);
        Objects.requireNonNull(architecture, "architecture");
        Objects.requireNonNull(computeCapability, "computeCapability");
    }
}
