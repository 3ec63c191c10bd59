package dev.tuna.testkit.cloudrun;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorRequest;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The APIs about a project: what it is, what it may, what it costs. Thread-safe. */
final class ProjectRoutes {

    private static final Pattern SERVICE = Pattern.compile("service_name=\"([^\"]+)\"");

    private final Project project;

    ProjectRoutes(Project project) {
        this.project = project;
    }

    VendorAnswer handle(VendorRequest request, String api) {
        return VendorAnswer.json(
                200,
                switch (api) {
                    case "cloudresourcemanager.googleapis.com" ->
                        resource(request).toString();
                    case "cloudbilling.googleapis.com" ->
                        request.path().endsWith("/skus")
                                ? skus().toString()
                                : billing(request).toString();
                    case "cloudquotas.googleapis.com" -> quota(request).toString();
                    case "logging.googleapis.com" -> logs(request).toString();
                    case "monitoring.googleapis.com" -> instances(request).toString();
                    default -> usage(request).toString();
                });
    }

    private void checkProject(VendorRequest request) {
        String[] parts = request.path().split("[/:]");
        if (parts.length < 4 || !parts[3].equals(project.id())) {
            throw GoogleError.denied("The caller does not have permission");
        }
    }

    private ObjectNode resource(VendorRequest request) {
        checkProject(request);
        ObjectNode answer = json();
        if (request.path().endsWith(":testIamPermissions")) {
            ArrayNode held = answer.putArray("permissions");
            GoogleRoutes.body(request).path("permissions").forEach(permission -> {
                if (!project.config().deniedPermissions.contains(permission.asText())) {
                    held.add(permission.asText());
                }
            });
            return answer;
        }
        return answer.put("name", "projects/" + Project.NUMBER)
                .put("projectId", project.id())
                .put("state", "ACTIVE");
    }

    private ObjectNode billing(VendorRequest request) {
        checkProject(request);
        ObjectNode answer =
                json().put("name", "projects/" + project.id() + "/billingInfo").put("projectId", project.id());
        return project.config().billed
                ? answer.put("billingAccountName", "billingAccounts/012345-567890-ABCDEF")
                        .put("billingEnabled", true)
                : answer;
    }

    private ObjectNode usage(VendorRequest request) {
        checkProject(request);
        if (request.path().endsWith(":batchEnable")) {
            List<String> apis = new ArrayList<>();
            GoogleRoutes.body(request).path("serviceIds").forEach(api -> apis.add(api.asText()));
            project.enable(apis);
            return json().put("name", "operations/acat.p2-" + Project.NUMBER + "-standin");
        }
        ObjectNode answer = json();
        ArrayNode services = answer.putArray("services");
        for (String pair : request.query().split("&")) {
            if (pair.startsWith("names=")) {
                String name = URLDecoder.decode(pair.substring("names=".length()), StandardCharsets.UTF_8);
                String api = name.substring(name.lastIndexOf('/') + 1);
                services.addObject()
                        .put("name", "projects/" + Project.NUMBER + "/services/" + api)
                        .put("parent", "projects/" + Project.NUMBER)
                        .put("state", project.isDisabled(api) ? "DISABLED" : "ENABLED");
            }
        }
        return answer;
    }

    private ObjectNode quota(VendorRequest request) {
        checkProject(request);
        String id = request.path().substring(request.path().lastIndexOf('/') + 1);
        CloudRunStandIn.Builder config = project.config();
        long value;
        if (id.contains("GpuAlloc")) {
            value = id.startsWith("Nvidia") ? config.gpuQuota * (id.contains("Rtx") ? 1000 : 1) : 0;
        } else if (id.equals("CpuAllocPerProjectRegion")) {
            value = config.cpuQuota * 1000;
        } else if (id.equals("MemAllocPerProjectRegion")) {
            value = config.memoryQuotaGib << 30;
        } else {
            throw GoogleError.notFound("quota '" + id + "' not found");
        }
        ObjectNode answer = json().put("quotaId", id).put("service", "run.googleapis.com");
        ArrayNode infos = answer.putArray("dimensionsInfos");
        for (String region : RunRoutes.GPU_REGIONS) {
            ObjectNode info = infos.addObject();
            info.putObject("dimensions").put("region", region);
            info.putObject("details").put("value", Long.toString(value));
            info.putArray("applicableLocations").add(region);
        }
        return answer;
    }

    private static ObjectNode skus() {
        ObjectNode answer = json();
        ArrayNode skus = answer.putArray("skus");
        sku(skus, "NVIDIA L4 GPU (No Zonal Redundancy) in us-east4", "s", 210_000, "us-east4");
        sku(skus, "Services CPU (Instance-based billing) in us-east4", "s", 20_000, "us-east4");
        sku(skus, "Services Memory (Instance-based billing) in us-east4", "GiBy.s", 2_200, "us-east4");
        sku(skus, "Services Min Instance CPU (Request-based billing) in us-east4", "s", 2_500, "us-east4");
        answer.put("nextPageToken", "");
        return answer;
    }

    private static void sku(ArrayNode skus, String description, String unit, int nanos, String region) {
        ObjectNode sku = skus.addObject();
        String id = "%04X-%04X-%04X".formatted(skus.size(), 0, 0);
        sku.put("name", "services/152E-C115-5142/skus/" + id).put("skuId", id).put("description", description);
        sku.putArray("serviceRegions").add(region);
        ObjectNode expression = sku.putArray("pricingInfo").addObject().putObject("pricingExpression");
        expression.put("usageUnit", unit);
        expression
                .putArray("tieredRates")
                .addObject()
                .putObject("unitPrice")
                .put("currencyCode", "USD")
                .put("units", "0")
                .put("nanos", nanos);
    }

    private ObjectNode instances(VendorRequest request) {
        checkProject(request);
        String filter = URLDecoder.decode(request.parameter("filter").orElse(""), StandardCharsets.UTF_8);
        Matcher name = SERVICE.matcher(filter);
        ObjectNode answer = json();
        if (!name.find()) {
            throw GoogleError.invalid("Field filter had an invalid value");
        }
        String now =
                project.config().clock.instant().truncatedTo(ChronoUnit.MINUTES).toString();
        project.services().stream()
                .filter(service -> service.shortName().equals(name.group(1)))
                .forEach(service -> {
                    ArrayNode series = answer.withArray("timeSeries");
                    point(series, "active", now, 0);
                    point(series, "idle", now, service.instances());
                });
        return answer;
    }

    private ObjectNode logs(VendorRequest request) {
        ObjectNode body = GoogleRoutes.body(request);
        Matcher name = SERVICE.matcher(body.path("filter").asText());
        if (!name.find()) {
            throw GoogleError.invalid("Unparseable filter");
        }
        ObjectNode answer = json();
        project.services().stream()
                .filter(service -> service.shortName().equals(name.group(1)))
                .forEach(service -> {
                    List<ObjectNode> lines = new ArrayList<>(service.log());
                    Collections.reverse(lines);
                    ArrayNode entries = answer.withArray("entries");
                    lines.stream().limit(body.path("pageSize").asInt(50)).forEach(entries::add);
                });
        return answer;
    }

    private static void point(ArrayNode series, String state, String time, int count) {
        ObjectNode one = series.addObject();
        one.putObject("metric")
                .put("type", "run.googleapis.com/container/instance_count")
                .putObject("labels")
                .put("state", state);
        one.put("metricKind", "GAUGE").put("valueType", "INT64");
        ObjectNode point = one.putArray("points").addObject();
        point.putObject("interval").put("startTime", time).put("endTime", time);
        point.putObject("value").put("int64Value", Integer.toString(count));
    }

    private static ObjectNode json() {
        return StandInService.JSON.createObjectNode();
    }
}
