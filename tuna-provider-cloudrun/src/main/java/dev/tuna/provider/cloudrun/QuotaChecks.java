package dev.tuna.provider.cloudrun;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.PreflightReport.Outcome;
import dev.tuna.api.TunaException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * Whether a project may use as much as a service may grow to: Cloud Run refuses one whose containers, times the number that
 * it may have, pass a quota. Confined to one report.
 */
final class QuotaChecks {

    private static final long GIB = 1L << 30;
    private static final long MILLI = 1000;

    private final ProjectApi projects;
    private final ServicePlan plan;
    private final Consumer<Check> checks;
    private final long instances;

    QuotaChecks(ProjectApi projects, ServicePlan plan, Consumer<Check> checks) {
        this.projects = projects;
        this.plan = plan;
        this.checks = checks;
        this.instances = template().path("scaling").path("maxInstanceCount").asLong();
    }

    static String page(String project) {
        return "https://console.cloud.google.com/iam-admin/quotas?service=" + GoogleHosts.RUN + "&project=" + project;
    }

    private JsonNode template() {
        return plan.service().path("template");
    }

    private static JsonNode limits(JsonNode service) {
        return service.path("template")
                .path("containers")
                .path(0)
                .path("resources")
                .path("limits");
    }

    static long memoryGib(JsonNode service) {
        return Long.parseLong(limits(service).path("memory").asText().replace("Gi", ""));
    }

    void run() {
        GpuType gpu = GpuType.byAccelerator(
                        template().path("nodeSelector").path("accelerator").asText())
                .orElseThrow();
        boolean redundant = !template().path("gpuZonalRedundancyDisabled").asBoolean();
        check("gpu_quota", gpu.quotaId(redundant), 1, 1, gpu.gpu());
        check(
                "cpu_quota",
                "CpuAllocPerProjectRegion",
                limits(plan.service()).path("cpu").asLong(),
                MILLI,
                "CPU");
        check("memory_quota", "MemAllocPerProjectRegion", memoryGib(plan.service()), GIB, "GiB of memory");
    }

    /**
     * One quota.
     *
     * @param each what one container uses
     * @param unit how many of the quota's units make one of these
     */
    private void check(String name, String id, long each, long unit, String what) {
        Place place = plan.place();
        OptionalLong allowed;
        try {
            allowed = projects.quota(place.project(), id, place.region());
        } catch (TunaException e) {
            checks.accept(CloudRunPreflight.untold(name, e, GoogleHosts.QUOTAS, place.project()));
            return;
        }
        if (allowed.isEmpty()) {
            checks.accept(Check.warning(name, "Google does not tell the quota " + id + " in " + place.region()));
            return;
        }
        // Quotas of GPUs are in GPUs for some projects and in thousandths for others.
        long value = allowed.getAsLong();
        long units = name.equals("gpu_quota") && value >= MILLI ? MILLI : unit;
        long has = value < 0 ? Long.MAX_VALUE : value / units;
        long wanted = each * instances;
        if (wanted <= has) {
            checks.accept(Check.passed(
                    name,
                    wanted + " of " + (value < 0 ? "unlimited" : has) + " " + what + " in " + place.region()
                            + " wanted"));
            return;
        }
        long fits = has / each;
        String wish = instances + " x " + each + " " + what + " wanted (serverless.workers_max x one container), " + has
                + " allowed in " + place.region() + " (" + id + ")";
        checks.accept(new Check(
                name,
                Outcome.FAILED,
                wish,
                Optional.of(
                        fits > 0
                                ? "set serverless.workers_max to " + fits + ", or ask for more at "
                                        + page(place.project())
                                : page(place.project()))));
    }
}
