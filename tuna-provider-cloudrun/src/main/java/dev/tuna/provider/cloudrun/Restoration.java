package dev.tuna.provider.cloudrun;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/** What makes a service be again what one of its revisions is. Pure. */
final class Restoration {

    /** What of a service is restored. */
    static final String FIELDS = "template,annotations,invokerIamDisabled";

    /** What a revision and the template of a service have in common. */
    private static final List<String> TEMPLATE = List.of(
            "scaling",
            "vpcAccess",
            "timeout",
            "serviceAccount",
            "containers",
            "volumes",
            "executionEnvironment",
            "encryptionKey",
            "maxInstanceRequestConcurrency",
            "sessionAffinity",
            "nodeSelector",
            "gpuZonalRedundancyDisabled");

    private Restoration() {}

    static String planOf(JsonNode revision) {
        return revision.path("annotations").path(Service.PLAN).asText("");
    }

    /**
     * The change that brings a revision back.
     *
     * @param service the service, whose newest revision does not come up
     * @param revision the revision that serves
     */
    static ObjectNode of(Service service, JsonNode revision) {
        ObjectNode change = ServicePlan.JSON.createObjectNode();
        ObjectNode annotations = own(service.json().path("annotations"));
        annotations.put(Service.FAILED_PLAN, service.annotation(Service.PLAN));
        annotations.put(Service.PLAN, planOf(revision));
        change.set("annotations", annotations);
        // A revision without a key of its own must not be open to everybody.
        change.put(
                "invokerIamDisabled",
                revision.path("annotations").path(Service.ACCESS).asText("").equals(Service.ENGINE_KEY));
        ObjectNode template = change.putObject("template");
        template.set("annotations", own(revision.path("annotations")));
        TEMPLATE.stream()
                .filter(revision::has)
                .forEach(field -> template.set(field, revision.path(field).deepCopy()));
        template.path("containers").forEach(container -> ((ObjectNode) container).remove("buildInfo"));
        change.put("etag", service.etag());
        return change;
    }

    /** Names with a prefix are Google's, which takes them from nobody. */
    private static ObjectNode own(JsonNode annotations) {
        ObjectNode own = ServicePlan.JSON.createObjectNode();
        annotations.properties().forEach(field -> {
            if (!field.getKey().contains("/")) {
                own.set(field.getKey(), field.getValue());
            }
        });
        return own;
    }
}
