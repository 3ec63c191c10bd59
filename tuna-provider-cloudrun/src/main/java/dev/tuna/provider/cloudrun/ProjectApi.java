package dev.tuna.provider.cloudrun;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.provider.support.JsonApi;
import dev.tuna.provider.support.JsonCall;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/** What Google tells of a project: its state, bill, APIs, rights, quotas, prices and metrics. Thread-safe. */
final class ProjectApi {

    /** Cloud Run's id in the billing catalogue. */
    private static final String BILLED_SERVICE = "152E-C115-5142";

    private static final int PAGE = 5000;
    private static final int MOST_PAGES = 10;

    /** The most that Cloud Logging gives at once. */
    private static final int MOST_LINES = 1000;

    /** Counts are taken once a minute and can be seen up to four minutes later (Cloud Monitoring, metrics of Cloud Run). */
    private static final Duration METRIC_WINDOW = Duration.ofMinutes(8);

    private final GoogleAccess access;
    private final JsonApi projects;
    private final JsonApi billing;
    private final JsonApi usage;
    private final JsonApi quotas;
    private final JsonApi monitoring;
    private final JsonApi logging;

    ProjectApi(GoogleAccess access) {
        this.access = access;
        this.projects = access.api(GoogleHosts.RESOURCE_MANAGER);
        this.billing = access.api(GoogleHosts.BILLING);
        this.usage = access.api(GoogleHosts.SERVICE_USAGE);
        this.quotas = access.api(GoogleHosts.QUOTAS);
        this.monitoring = access.api(GoogleHosts.MONITORING);
        this.logging = access.api(GoogleHosts.LOGGING);
    }

    private JsonNode send(JsonCall call) {
        return access.authorized(call).send();
    }

    /** {@code ACTIVE} or {@code DELETE_REQUESTED}; empty if it is not there. */
    Optional<String> state(String project) {
        return access.authorized(projects.get("read project", "/v3/projects/{}", project))
                .sendUnlessMissing()
                .map(answer -> answer.path("state").asText(""));
    }

    boolean isBilled(String project) {
        // False is not written out.
        return send(billing.get("read billing", "/v1/projects/{}/billingInfo", project))
                .path("billingEnabled")
                .asBoolean();
    }

    /** Those of some APIs that are not enabled. */
    List<String> disabled(String project, List<String> apis) {
        JsonCall call = usage.get("read APIs", "/v1/projects/{}/services:batchGet", project);
        apis.forEach(api -> call.query("names", "projects/" + project + "/services/" + api));
        List<String> disabled = new ArrayList<>(apis);
        for (JsonNode service : send(call).path("services")) {
            if (service.path("state").asText().equals("ENABLED")) {
                String name = service.path("name").asText();
                disabled.remove(name.substring(name.lastIndexOf('/') + 1));
            }
        }
        return disabled;
    }

    /** Begins to enable APIs, which takes a minute or so. */
    void enable(String project, List<String> apis) {
        send(usage.post("enable APIs", "/v1/projects/{}/services:batchEnable", project)
                .json(Map.of("serviceIds", apis))
                .idempotent());
    }

    /** Those of some rights that the caller has. */
    Set<String> held(String project, List<String> permissions) {
        JsonNode answer = send(projects.post("read rights", "/v3/projects/{}:testIamPermissions", project)
                .json(Map.of("permissions", permissions))
                .idempotent());
        Set<String> held = new HashSet<>();
        answer.path("permissions").forEach(permission -> held.add(permission.asText()));
        return held;
    }

    /** How much of something may be used in a region; empty if Google does not tell. */
    OptionalLong quota(String project, String id, String region) {
        JsonNode answer = send(quotas.get(
                "read quota",
                "/v1/projects/{}/locations/global/services/" + GoogleHosts.RUN + "/quotaInfos/{}",
                project,
                id));
        for (JsonNode info : answer.path("dimensionsInfos")) {
            boolean here = info.path("dimensions").path("region").asText("").equals(region);
            for (JsonNode location : info.path("applicableLocations")) {
                here = here || location.asText().equals(region);
            }
            String value = info.path("details").path("value").asText("");
            if (here && value.matches("-?\\d{1,18}")) {
                return OptionalLong.of(Long.parseLong(value));
            }
        }
        return OptionalLong.empty();
    }

    /** Every entry of the billing catalogue for Cloud Run. */
    List<JsonNode> skus() {
        List<JsonNode> skus = new ArrayList<>();
        String token = "";
        for (int page = 0; page < MOST_PAGES; page++) {
            JsonCall call = billing.get("read prices", "/v1/services/{}/skus", BILLED_SERVICE)
                    .query("currencyCode", "USD")
                    .query("pageSize", PAGE);
            if (!token.isEmpty()) {
                call.query("pageToken", token);
            }
            JsonNode answer = send(call);
            answer.path("skus").forEach(skus::add);
            token = answer.path("nextPageToken").asText("");
            if (token.isEmpty()) {
                break;
            }
        }
        return skus;
    }

    /** The newest entries of a project's log that pass a filter, newest first. */
    JsonNode logs(String project, String filter, int lines) {
        return send(logging.post("read logs", "/v2/entries:list")
                .json(Map.of(
                        "resourceNames",
                        List.of("projects/" + project),
                        "filter",
                        filter,
                        "orderBy",
                        "timestamp desc",
                        "pageSize",
                        Math.min(lines, MOST_LINES)))
                .idempotent());
    }

    /** How many instances a service had a few minutes ago; empty if there is no word of it yet. */
    OptionalInt instances(Place place, Instant now) {
        JsonNode answer = send(monitoring
                .get("read metrics", "/v3/projects/{}/timeSeries", place.project())
                .query(
                        "filter",
                        "metric.type=\"run.googleapis.com/container/instance_count\""
                                + " AND resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\""
                                + place.service() + "\" AND resource.labels.location=\"" + place.region() + "\"")
                .query("interval.startTime", now.minus(METRIC_WINDOW))
                .query("interval.endTime", now));
        Map<String, Integer> byTime = new HashMap<>();
        for (JsonNode series : answer.path("timeSeries")) {
            JsonNode newest = series.path("points").path(0);
            byTime.merge(
                    newest.path("interval").path("endTime").asText(""),
                    newest.path("value").path("int64Value").asInt(),
                    Integer::sum);
        }
        // Busy and idle instances, and those of each revision, are series of their own, counted at the same moments.
        return byTime.entrySet().stream()
                .max(Map.Entry.comparingByKey())
                .map(entry -> OptionalInt.of(entry.getValue()))
                .orElseGet(OptionalInt::empty);
    }
}
