package dev.tuna.testkit.cloudrun;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** What Cloud Run refuses of a service at once. Thread-safe. */
final class ServiceRules {

    private static final int LONGEST_STARTUP = 1800;
    private static final int LONGEST_PERIOD = 240;
    private static final int LONGEST_TIMEOUT = 3600;
    private static final int DEFAULT_INSTANCES = 100;
    private static final List<String> GOOGLES =
            List.of("run.googleapis.com/", "serving.knative.dev/", "cloud.googleapis.com/", "autoscaling.knative.dev/");

    private final CloudRunStandIn.Builder config;

    ServiceRules(CloudRunStandIn.Builder config) {
        this.config = config;
    }

    void check(String id, String region, JsonNode service) {
        require(id.matches("[a-z]([a-z0-9-]{0,47}[a-z0-9])?"), "Invalid service_id: '" + id + "'");
        require(RunRoutes.GPU_REGIONS.contains(region), "GPUs are not available in region '" + region + "'.");
        JsonNode template = service.path("template");
        checkAnnotations(service);
        checkAnnotations(template);
        require(template.path("containers").size() == 1, "template.containers: exactly one is required.");
        JsonNode container = template.path("containers").path(0);
        require(!container.path("image").asText("").isEmpty(), "template.containers[0].image: required.");
        container
                .path("env")
                .forEach(variable -> require(
                        !variable.path("name").asText().equals("PORT"),
                        "template.containers[0].env: The following reserved env names were provided: PORT."));
        checkTimeout(template.path("timeout").asText("300s"));
        checkProbe(container.path("startupProbe"));
        checkGpu(template, container);
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw GoogleError.invalid(otherwise);
        }
    }

    private static void checkAnnotations(JsonNode object) {
        object.path("annotations")
                .fieldNames()
                .forEachRemaining(key -> require(
                        GOOGLES.stream().noneMatch(key::startsWith), "annotations: '" + key + "' is reserved."));
    }

    private static void checkTimeout(String timeout) {
        long seconds = Long.parseLong(timeout.replace("s", ""));
        require(seconds > 0 && seconds <= LONGEST_TIMEOUT, "template.timeout: must be between 1s and 3600s.");
    }

    private static void checkProbe(JsonNode probe) {
        int period = probe.path("periodSeconds").asInt(10);
        int threshold = probe.path("failureThreshold").asInt(3);
        require(period <= LONGEST_PERIOD, "startupProbe.periodSeconds: must be between 1 and 240.");
        require(
                (long) period * threshold <= LONGEST_STARTUP,
                "startupProbe: failureThreshold * periodSeconds must be at most 1800 seconds.");
        require(
                probe.path("timeoutSeconds").asInt(1) <= period,
                "startupProbe.timeoutSeconds: must not be greater than periodSeconds.");
    }

    private void checkGpu(JsonNode template, JsonNode container) {
        JsonNode limits = container.path("resources").path("limits");
        String accelerator = template.path("nodeSelector").path("accelerator").asText("");
        boolean l4 = accelerator.equals("nvidia-l4");
        require(l4 || accelerator.equals("nvidia-rtx-pro-6000"), "nodeSelector.accelerator: '" + accelerator + "'");
        require(limits.path("nvidia.com/gpu").asText("").equals("1"), "resources.limits: one GPU is required.");
        require(
                !container.path("resources").path("cpuIdle").asBoolean(),
                "resources.cpuIdle: must be false for services with a GPU.");
        long cpu = limits.path("cpu").asLong();
        long gib = Long.parseLong(limits.path("memory").asText("0Gi").replace("Gi", ""));
        require(cpu >= (l4 ? 4 : 20) && gib >= (l4 ? 16 : 80), "resources.limits: too little CPU or memory.");
        // A missing or zero maximum reads as "no limit".
        long asked = template.path("scaling").path("maxInstanceCount").asLong();
        long instances = asked == 0 ? DEFAULT_INSTANCES : asked;
        quota("memory", "MemAllocPerProjectRegion", instances, gib << 30, config.memoryQuotaGib << 30);
        quota("CPU", "CpuAllocPerProjectRegion", instances, cpu * 1000, config.cpuQuota * 1000);
        require(
                instances <= config.gpuQuota,
                "Quota exceeded for total allowable count of GPUs per project per region.");
    }

    private static void quota(String what, String id, long instances, long each, long allowed) {
        require(
                instances * each <= allowed,
                "Max instances must be set to " + allowed / each + " or fewer in order to set the requested total "
                        + what + ". Quota violated: " + id + " requested: " + instances * each + " allowed: "
                        + allowed);
    }
}
