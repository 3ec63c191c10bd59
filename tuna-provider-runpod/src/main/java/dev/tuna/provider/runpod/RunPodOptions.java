package dev.tuna.provider.runpod;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeSet;
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
        Problems problems = new Problems();
        problems.unknown(request, "option", KEYS, RunPodSettings.KEYS);
        List<String> all = new ArrayList<>(KEYS);
        all.addAll(RunPodSettings.KEYS);
        problems.unknown(settings, "setting", all, List.of());
        Map<String, String> values = new HashMap<>(settings);
        values.putAll(request);
        String type = values.getOrDefault(TYPE, "load_balancer").toLowerCase(Locale.ROOT);
        problems.check(type.equals("load_balancer") || type.equals("queue"), TYPE, type, "load_balancer or queue");
        List<String> pools = list(values, POOLS);
        problems.each(POOLS, pools, "[A-Z0-9_]+", "pools such as AMPERE_48");
        problems.check(pools.size() <= MOST_POOLS, POOLS, pools, "at most " + MOST_POOLS + " pools");
        List<String> excluded = list(values, EXCLUDED);
        problems.each(EXCLUDED, excluded, "[^-\\s].*", "GPU types such as NVIDIA L40");
        problems.check(
                excluded.isEmpty() || !pools.isEmpty(), EXCLUDED, excluded, "left out unless " + POOLS + " is set");
        Optional<String> cuda = text(values, MIN_CUDA);
        problems.each(MIN_CUDA, cuda.stream().toList(), "\\d+\\.\\d+", "a version such as 13.0");
        List<String> dataCenters = list(values, DATA_CENTERS);
        problems.each(DATA_CENTERS, dataCenters, DATA_CENTER.pattern(), "data centers such as US-KS-2");
        Optional<String> disk = text(values, DISK);
        problems.each(DISK, disk.stream().toList(), "[1-9]\\d{0,4}", "a number of GB, 1 or more");
        Optional<String> accelerator = text(values, FLASHBOOT).map(value -> value.toUpperCase(Locale.ROOT));
        problems.each(
                FLASHBOOT,
                accelerator.stream().toList(),
                "OFF|FLASHBOOT|PRIORITY_FLASHBOOT",
                "off, flashboot or priority_flashboot");
        problems.throwIfAny();
        return new RunPodOptions(
                type.equals("queue"),
                pools,
                excluded,
                cuda,
                dataCenters,
                disk.map(gb -> OptionalInt.of(Integer.parseInt(gb))).orElseGet(OptionalInt::empty),
                accelerator,
                text(values, REGISTRY),
                list(values, VOLUMES));
    }

    String type() {
        return queue ? "QUEUE" : "LOAD_BALANCER";
    }

    private static Optional<String> text(Map<String, String> values, String key) {
        return Optional.of(values.getOrDefault(key, "").strip()).filter(value -> !value.isEmpty());
    }

    private static List<String> list(Map<String, String> values, String key) {
        return Arrays.stream(values.getOrDefault(key, "").split(","))
                .map(String::strip)
                .filter(value -> !value.isEmpty())
                .toList();
    }

    /** Confined to one reading. */
    private static final class Problems {
        private final List<String> found = new ArrayList<>();

        void check(boolean holds, String key, Object value, String allowed) {
            if (!holds) {
                found.add("option " + key + " is '" + value + "' but must be " + allowed);
            }
        }

        void each(String key, List<String> values, String pattern, String allowed) {
            values.forEach(value -> check(value.matches(pattern), key, value, allowed));
        }

        void unknown(Map<String, String> given, String what, List<String> allowed, List<String> settingsOnly) {
            for (String key : new TreeSet<>(given.keySet())) {
                if (settingsOnly.contains(key)) {
                    found.add("option " + key + " is a setting of the installation; a request cannot change it");
                } else if (!allowed.contains(key)) {
                    found.add(what + " '" + key + "' is not known; known are " + String.join(", ", allowed));
                }
            }
        }

        void throwIfAny() {
            if (!found.isEmpty()) {
                throw new ConfigurationException(ErrorCode.INVALID_REQUEST, "provider runpod", found);
            }
        }
    }
}
