package dev.tuna.provider.runpod;

import dev.tuna.provider.support.vllm.VllmVersion;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A container image with vLLM and the CUDA version that its host must have. A host with an older driver takes the worker
 * and the worker dies.
 *
 * @param name image and tag
 * @param minCuda lowest CUDA version, {@code major.minor}
 */
record EngineImage(String name, String minCuda) {

    /** From 0.20 on vLLM's images are built for CUDA 13, but for those that say otherwise. */
    private static final VllmVersion CUDA_13_SINCE = new VllmVersion(0, 20, 0);

    private static final String CUDA_13 = "13.0";
    private static final String OLDER_DRIVER = "12.9";
    private static final String CUDA_12 = "12.8";

    /** Tags of RunPod's worker by the vLLM in them, from the project's release tags up to August 2026, oldest first. */
    private static final Map<String, EngineImage> WORKERS = workers();

    EngineImage {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(minCuda, "minCuda");
    }

    /** RunPod's queue worker with a version; empty if it was never released with that one. */
    static Optional<EngineImage> worker(String version) {
        return Optional.ofNullable(WORKERS.get(version));
    }

    /** The versions that RunPod's worker was released with, newest first. */
    static List<String> workerVersions() {
        List<String> versions = new ArrayList<>(WORKERS.keySet());
        Collections.reverse(versions);
        return versions;
    }

    /** Whether a host with this CUDA version needs the image for older drivers. */
    static boolean isOlderDriver(String cuda) {
        return isBelow(cuda, CUDA_13);
    }

    /** What vLLM's own image of a version needs of a host. */
    static String minCuda(VllmVersion version, boolean olderDriver) {
        if (version.isBefore(CUDA_13_SINCE)) {
            return CUDA_12;
        }
        return olderDriver ? OLDER_DRIVER : CUDA_13;
    }

    /** Compares {@code major.minor}. */
    static boolean isBelow(String cuda, String other) {
        return Double.compare(Double.parseDouble(cuda), Double.parseDouble(other)) < 0;
    }

    private static Map<String, EngineImage> workers() {
        Map<String, EngineImage> images = new LinkedHashMap<>();
        add(images, "0.16.0", "v2.14.0", "12.9");
        add(images, "0.18.1", "v2.17.0", "12.9");
        add(images, "0.19.1", "v2.18.1", "12.9");
        add(images, "0.20.2", "v2.20.1", "13.0");
        add(images, "0.21.0", "v2.21.1", "13.0");
        add(images, "0.22.1", "v2.22.3", "13.0");
        add(images, "0.23.0", "v2.23.0", "13.0");
        add(images, "0.26.0", "v2.24.0", "13.0");
        add(images, "0.27.0", "v2.25.0", "13.0");
        add(images, "0.27.1", "v2.25.2", "13.0");
        return Collections.unmodifiableMap(images);
    }

    private static void add(Map<String, EngineImage> images, String version, String tag, String minCuda) {
        images.put(version, new EngineImage("runpod/worker-v1-vllm:" + tag, minCuda));
    }
}
