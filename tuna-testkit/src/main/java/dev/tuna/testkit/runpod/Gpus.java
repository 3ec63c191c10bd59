package dev.tuna.testkit.runpod;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/** Cards of the stand-in's data centers, a few of RunPod's. Immutable. */
final class Gpus {

    private static final List<Gpu> ALL = List.of(
            new Gpu("NVIDIA L4", "L4", "AMPERE_24", 24, 0.69, "HIGH"),
            new Gpu("NVIDIA RTX A5000", "RTX A5000", "AMPERE_24", 24, 0.69, "HIGH"),
            new Gpu("NVIDIA GeForce RTX 3090", "RTX 3090", "AMPERE_24", 24, 0.69, "HIGH"),
            new Gpu("NVIDIA GeForce RTX 4090", "RTX 4090", "ADA_24", 24, 1.1, "HIGH"),
            new Gpu("NVIDIA RTX A6000", "RTX A6000", "AMPERE_48", 48, 1.22, "MEDIUM"),
            new Gpu("NVIDIA A40", "A40", "AMPERE_48", 48, 1.22, "MEDIUM"),
            new Gpu("NVIDIA L40", "L40", "ADA_48_PRO", 48, 1.9, "LOW"),
            new Gpu("NVIDIA L40S", "L40S", "ADA_48_PRO", 48, 1.9, "LOW"),
            new Gpu("NVIDIA RTX 6000 Ada Generation", "RTX 6000 Ada", "ADA_48_PRO", 48, 1.9, "LOW"),
            new Gpu("NVIDIA A100 80GB PCIe", "A100 PCIe", "AMPERE_80", 80, 2.72, "MEDIUM"),
            new Gpu("NVIDIA A100-SXM4-80GB", "A100 SXM", "AMPERE_80", 80, 2.72, "MEDIUM"),
            new Gpu("NVIDIA H100 80GB HBM3", "H100 SXM", "ADA_80_PRO", 80, 4.18, "LOW"),
            new Gpu("NVIDIA H200", "H200 SXM", "HOPPER_141", 141, 5.58, "NONE"));

    private Gpus() {}

    private record Gpu(String id, String name, String pool, int memory, double usdPerHour, String availability) {

        void describe(ObjectNode json, boolean withAvailability) {
            json.put("id", id).put("name", name).put("pool", pool).put("manufacturer", "NVIDIA");
            json.put("memory", memory).put("secure", true).put("community", true);
            json.putObject("price").put("secure", 0.44).put("community", 0.31).put("serverless", usdPerHour);
            json.putObject("maxCount").put("secure", 8).put("community", 4);
            if (withAvailability) {
                json.put("availability", availability);
                if (!availability.equals("NONE")) {
                    json.putArray("dataCenters")
                            .addObject()
                            .put("id", "US-KS-2")
                            .put("name", "US Kansas 2")
                            .put("availability", availability);
                }
            }
        }
    }

    static ObjectNode catalog(boolean withAvailability) {
        ObjectNode json = RunPodRoutes.JSON.createObjectNode();
        ArrayNode gpus = json.putArray("gpus");
        ALL.forEach(gpu -> gpu.describe(gpus.addObject(), withAvailability));
        return json;
    }

    static void check(List<String> pools, List<String> excluded) {
        if (!pools.isEmpty() && ALL.stream().noneMatch(gpu -> pools.contains(gpu.pool) && !excluded.contains(gpu.id))) {
            throw Refusal.bad("gpu: the exclusions leave nothing of the pools");
        }
        pools.forEach(pool -> {
            if (ALL.stream().noneMatch(gpu -> gpu.pool.equals(pool))) {
                throw Refusal.bad("gpu.pools: unknown pool " + pool);
            }
        });
        excluded.forEach(type -> {
            if (ALL.stream().noneMatch(gpu -> gpu.id.equals(type) && pools.contains(gpu.pool))) {
                throw Refusal.bad("gpu.excludedTypes: " + type + " is in none of the pools");
            }
        });
    }
}
