package dev.tuna.provider.runpod;

import dev.tuna.api.ConfigurationException;
import dev.tuna.provider.support.OptionReader;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/**
 * What a request, or else the installation, says about an endpoint on RunPod. Lists are separated by commas. Immutable.
 *
 * @param queue {@code endpoint_type} is {@code queue}: requests wait in RunPod's queue and RunPod's own worker image
 *     serves them; default {@code load_balancer}: they go straight to the stock vLLM image
 * @param pools {@code gpu_pools}: GPU pools to use instead of the one that holds the GPU, best first, at most three
 * @param excludedTypes {@code excluded_gpu_types}: GPU types that those pools must not give
 * @param minCuda {@code min_cuda}: lowest CUDA version of a host; default what the image needs
 * @param dataCenters {@code data_centers}: where workers may run; default anywhere
 * @param diskGb {@code disk_gb}: container disk; default 40 GB and the GPUs' memory
 * @param accelerator {@code flashboot}: {@code off}, {@code flashboot} or {@code priority_flashboot}; default on for fast boot
 * @param registry {@code registry_id}: RunPod's id of the credential for a private image
 * @param volumes {@code network_volumes}: ids of network volumes to mount
 */
record RunPodOptions(
        boolean queue,
        List<String> pools,
        List<String> excludedTypes,
        Optional<String> minCuda,
        List<String> dataCenters,
        OptionalInt diskGb,
        Optional<String> accelerator,
        Optional<String> registry,
        List<String> volumes) {

    /** More are taken without a word, and then no worker ever starts. */
    private static final int MOST_POOLS = 3;

    static final Pattern DATA_CENTER = Pattern.compile("[A-Z]{2,4}(-[A-Z0-9]{1,6}){1,3}");

    private static final String TYPE = "endpoint_type";
    private static final String POOLS = "gpu_pools";
    private static final String EXCLUDED = "excluded_gpu_types";
    private static final String MIN_CUDA = "min_cuda";
    private static final String DATA_CENTERS = "data_centers";
    private static final String DISK = "disk_gb";
    private static final String FLASHBOOT = "flashboot";
    private static final String REGISTRY = "registry_id";
    private static final String VOLUMES = "network_volumes";
    static final List<String> KEYS =
            List.of(TYPE, POOLS, EXCLUDED, MIN_CUDA, DATA_CENTERS, DISK, FLASHBOOT, REGISTRY, VOLUMES);

    /** Copies the lists. */
    RunPodOptions {
        pools = List.copyOf(pools);
        excludedTypes = List.copyOf(excludedTypes);
        dataCenters = List.copyOf(dataCenters);
        volumes = List.copyOf(volumes);
    }

    /**
     * Reads the options in force.
     *
     * @param settings the installation's
     * @param request the request's, which win
     * @throws ConfigurationException naming every option at fault
     */
    static RunPodOptions of(Map<String, String> settings, Map<String, String> request) {
        var reader = new OptionReader(RunPodProvider.NAME, KEYS, RunPodSettings.KEYS, settings, request);
        String type = reader.value(TYPE, "load_balancer").toLowerCase(Locale.ROOT);
        reader.check(type.equals("load_balancer") || type.equals("queue"), TYPE, type, "load_balancer or queue");
        List<String> pools = reader.list(POOLS, "");
        reader.each(POOLS, pools, "[A-Z0-9_]+", "pools such as AMPERE_48");
        reader.check(pools.size() <= MOST_POOLS, POOLS, pools, "at most " + MOST_POOLS + " pools");
        List<String> excluded = reader.list(EXCLUDED, "");
        reader.each(EXCLUDED, excluded, "[^-\\s].*", "GPU types such as NVIDIA L40");
        reader.check(
                excluded.isEmpty() || !pools.isEmpty(), EXCLUDED, excluded, "left out unless " + POOLS + " is set");
        Optional<String> cuda = reader.matching(MIN_CUDA, "\\d+\\.\\d+", "a version such as 13.0");
        List<String> dataCenters = reader.list(DATA_CENTERS, "");
        reader.each(DATA_CENTERS, dataCenters, DATA_CENTER.pattern(), "data centers such as US-KS-2");
        Optional<String> disk = reader.matching(DISK, "[1-9]\\d{0,4}", "a number of GB, 1 or more");
        Optional<String> accelerator = reader.text(FLASHBOOT).map(value -> value.toUpperCase(Locale.ROOT));
        reader.each(
                FLASHBOOT,
                accelerator.stream().toList(),
                "OFF|FLASHBOOT|PRIORITY_FLASHBOOT",
                "off, flashboot or priority_flashboot");
        reader.throwIfAny();
        return new RunPodOptions(
                type.equals("queue"),
                pools,
                excluded,
                cuda,
                dataCenters,
                disk.map(gb -> OptionalInt.of(Integer.parseInt(gb))).orElseGet(OptionalInt::empty),
                accelerator,
                reader.text(REGISTRY),
                reader.list(VOLUMES, ""));
    }

    String type() {
        return queue ? "QUEUE" : "LOAD_BALANCER";
    }
}
