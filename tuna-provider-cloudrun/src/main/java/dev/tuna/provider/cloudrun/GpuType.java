package dev.tuna.provider.cloudrun;

import java.util.List;
import java.util.Optional;

/**
 * A GPU that Cloud Run has for services; a container has one of it, never more. Immutable.
 *
 * @param gpu canonical name
 * @param accelerator Cloud Run's name
 * @param memoryGb memory of the GPU
 * @param minCpu fewest CPUs that a container with it may have
 * @param minMemoryGib least memory that a container with it may have
 * @param cpu CPUs unless somebody says otherwise
 * @param memoryGib memory unless somebody says otherwise
 * @param olderDriver whether hosts have a driver that images for CUDA 13 do not run on
 * @param regions where it is, the ones open to everybody first
 * @param quota what the ids of its quotas begin with
 */
record GpuType(
        String gpu,
        String accelerator,
        int memoryGb,
        int minCpu,
        int minMemoryGib,
        int cpu,
        int memoryGib,
        boolean olderDriver,
        List<String> regions,
        String quota) {

    /**
     * From docs.cloud.google.com/run/docs/configuring/services/gpu, read in August 2026. L4 hosts have driver 535 (CUDA 12.2),
     * RTX PRO 6000 hosts driver 580 (CUDA 13.0).
     */
    static final List<GpuType> ALL = List.of(
            new GpuType(
                    "L4",
                    "nvidia-l4",
                    24,
                    4,
                    16,
                    8,
                    32,
                    true,
                    List.of(
                            "us-east4",
                            "europe-west4",
                            "europe-west1",
                            "asia-southeast1",
                            "us-central1",
                            "asia-south1"),
                    "NvidiaL4GpuAlloc"),
            new GpuType(
                    "RTX_PRO_6000",
                    "nvidia-rtx-pro-6000",
                    96,
                    20,
                    80,
                    20,
                    80,
                    false,
                    List.of("us-central1", "europe-west4", "asia-southeast1", "asia-south2"),
                    "NvidiaRtxPro6000GpuAlloc"));

    GpuType {
        regions = List.copyOf(regions);
    }

    static Optional<GpuType> of(String gpu) {
        return ALL.stream().filter(type -> type.gpu.equalsIgnoreCase(gpu)).findFirst();
    }

    static Optional<GpuType> byAccelerator(String accelerator) {
        return ALL.stream().filter(type -> type.accelerator.equals(accelerator)).findFirst();
    }

    static List<String> names() {
        return ALL.stream().map(GpuType::gpu).toList();
    }

    /** Every region that has some GPU, sorted. */
    static List<String> allRegions() {
        return ALL.stream()
                .flatMap(type -> type.regions.stream())
                .distinct()
                .sorted()
                .toList();
    }

    String quotaId(boolean zonalRedundancy) {
        return quota + (zonalRedundancy ? "" : "NoZonalRedundancy") + "PerProjectRegion";
    }
}
