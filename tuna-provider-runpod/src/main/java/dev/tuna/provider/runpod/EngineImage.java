package dev.tuna.provider.runpod;

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

    EngineImage {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(minCuda, "minCuda");
    }

    /** The newest version that somebody is known to have run on a load-balancing endpoint. */
    static final String STOCK_VERSION = "0.28.0";

    /** From 0.20 on vLLM's images are built for CUDA 13. */
    private static final int CUDA_13_MINOR = 20;

    /** Tags of RunPod's worker by the vLLM in them, from the project's release tags up to August 2026, oldest first. */
    private static final Map<String, EngineImage> WORKERS = workers();

    static final String WORKER_VERSION = "0.27.1";

    /** The stock image of a version, which an endpoint runs behind RunPod's load balancer. */
    static EngineImage stock(String version) {
        return new EngineImage("vllm/vllm-openai:v" + version, minCuda(version));
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

    /** What hosts need for an image of the user's own that has a version of vLLM in it. */
    static String minCuda(String version) {
        String[] parts = version.split("\\.");
        boolean old = parts.length > 1 && parts[0].equals("0") && number(parts[1]) < CUDA_13_MINOR;
        return old ? "12.8" : "13.0";
    }

    private static int number(String text) {
        return text.matches("\\d{1,6}") ? Integer.parseInt(text) : Integer.MAX_VALUE;
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
