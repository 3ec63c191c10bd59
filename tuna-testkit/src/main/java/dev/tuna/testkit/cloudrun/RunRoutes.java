package dev.tuna.testkit.cloudrun;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorRequest;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The Admin API. Thread-safe. */
final class RunRoutes {

    static final List<String> GPU_REGIONS = List.of(
            "asia-south1", "asia-south2", "asia-southeast1", "europe-west1", "europe-west4", "us-central1", "us-east4");

    private static final Pattern PATH = Pattern.compile(
            "/v2/projects/([^/]+)/locations/([^/]+)/(services|operations)(?:/([^/:]+))?(?:/revisions/([^/:]+))?(?::(\\w+))?");
    private static final String TYPE = "type.googleapis.com/google.cloud.run.v2.Service";

    private final Project project;
    private final ServiceRules rules;

    RunRoutes(Project project) {
        this.project = project;
        this.rules = new ServiceRules(project.config());
    }

    VendorAnswer handle(VendorRequest request, String caller) {
        Matcher path = PATH.matcher(request.path());
        if (!path.matches()) {
            throw GoogleError.notFound("no such resource");
        }
        if (!path.group(1).equals(project.id())) {
            throw GoogleError.denied("Permission denied on resource project " + path.group(1) + ".");
        }
        String region = path.group(2);
        String id = path.group(4);
        boolean operation = path.group(3).equals("operations");
        ObjectNode answer;
        if (operation) {
            answer = operation(region, id);
        } else if (id == null) {
            answer = request.method().equals("POST") ? create(request, region, caller) : list(request, region);
        } else if (path.group(5) != null) {
            answer = service(region, id)
                    .revision(path.group(5))
                    .orElseThrow(() -> GoogleError.notFound("Revision '" + path.group(5) + "' does not exist."));
        } else if (path.group(6) != null) {
            answer = policy(request, service(region, id), path.group(6));
        } else {
            answer = one(request, region, id, caller);
        }
        return VendorAnswer.json(200, answer.toString());
    }

    private void needs(String permission) {
        if (project.config().deniedPermissions.contains(permission)) {
            throw GoogleError.denied("Permission '" + permission + "' denied on resource.");
        }
    }

    private String name(String region, String id) {
        return "projects/" + project.id() + "/locations/" + region + "/services/" + id;
    }

    private StandInService service(String region, String id) {
        return project.service(name(region, id))
                .orElseThrow(() -> GoogleError.notFound("Resource '" + id + "' of kind 'SERVICE' in region '" + region
                        + "' in project '" + project.id() + "' does not exist."));
    }

    private ObjectNode operation(String region, String id) {
        return project.operation("projects/" + project.id() + "/locations/" + region + "/operations/" + id)
                .orElseThrow(() -> GoogleError.notFound("operation not found"));
    }

    private ObjectNode list(VendorRequest request, String region) {
        needs("run.services.list");
        List<StandInService> all = project.services().stream()
                .filter(service -> service.region().equals(region) && !service.isGone())
                .toList();
        int from = request.parameter("pageToken").map(Integer::parseInt).orElse(0);
        int size = Math.min(
                project.config().pageSize,
                request.parameter("pageSize").map(Integer::parseInt).orElse(Integer.MAX_VALUE));
        int to = Math.min(all.size(), from + size);
        ObjectNode answer = StandInService.JSON.createObjectNode();
        if (from < to) {
            ArrayNode services = answer.putArray("services");
            all.subList(from, to).forEach(service -> services.add(service.json()));
        }
        if (to < all.size()) {
            answer.put("nextPageToken", Integer.toString(to));
        }
        return answer;
    }

    private static boolean isDryRun(VendorRequest request) {
        return request.parameter("validateOnly").filter("true"::equals).isPresent();
    }

    private ObjectNode create(VendorRequest request, String region, String caller) {
        needs("run.services.create");
        ObjectNode settings = GoogleRoutes.body(request);
        String id = request.parameter("serviceId").orElse("");
        rules.check(id, region, settings);
        if (isDryRun(request)) {
            if (project.service(name(region, id)).isPresent()) {
                throw GoogleError.exists("Resource '" + id + "' already exists.");
            }
            return done(() -> settings.deepCopy());
        }
        StandInService made = project.make(
                        name(region, id), () -> new StandInService(project, name(region, id), settings, caller))
                .orElseThrow(() -> GoogleError.exists("Resource '" + id + "' already exists."));
        return project.operation(region, () -> made.operation(TYPE));
    }

    private static ObjectNode done(Supplier<ObjectNode> response) {
        ObjectNode operation = StandInService.JSON.createObjectNode();
        operation.put("done", true);
        operation.set("response", response.get().put("@type", TYPE));
        return operation;
    }

    private ObjectNode one(VendorRequest request, String region, String id, String caller) {
        StandInService service = service(region, id);
        return switch (request.method()) {
            case "GET" -> {
                needs("run.services.get");
                yield service.json();
            }
            case "PATCH" -> {
                needs("run.services.update");
                yield update(request, service, caller);
            }
            case "DELETE" -> {
                needs("run.services.delete");
                service.delete();
                yield project.operation(region, () -> service.deletion(TYPE));
            }
            default -> throw GoogleError.invalid("method not allowed");
        };
    }

    private ObjectNode update(VendorRequest request, StandInService service, String caller) {
        ObjectNode change = GoogleRoutes.body(request);
        String mask = request.parameter("updateMask")
                .map(fields -> fields.replace("%2C", ","))
                .orElse("");
        Set<String> fields = mask.isEmpty() ? Set.of() : Set.copyOf(Arrays.asList(mask.split(",")));
        ObjectNode merged = service.merged(change, fields);
        rules.check(service.shortName(), service.region(), merged);
        if (isDryRun(request)) {
            return done(() -> merged);
        }
        if (merged.path("invokerIamDisabled").asBoolean()) {
            needs("run.services.setIamPolicy");
        }
        service.update(merged, change.path("etag").asText(""), caller);
        return project.operation(service.region(), () -> service.operation(TYPE));
    }

    private ObjectNode policy(VendorRequest request, StandInService service, String verb) {
        switch (verb) {
            case "getIamPolicy" -> {
                needs("run.services.getIamPolicy");
                return service.policy();
            }
            case "setIamPolicy" -> {
                needs("run.services.setIamPolicy");
                return service.setPolicy(GoogleRoutes.body(request).path("policy"));
            }
            default -> throw GoogleError.notFound("no such method");
        }
    }
}
