package dev.tuna.testkit.baseten;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.testkit.baseten.Machines.Machine;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A model with its deployments and its environment {@code production}. Confined to the workspace's lock. */
final class StandInModel {

    private final String id;
    private final String name;
    private final Instant createdAt = Instant.now().truncatedTo(ChronoUnit.MICROS);
    private final List<StandInDeployment> deployments = new ArrayList<>();
    private final ObjectNode scaling;
    private final boolean sticky;
    private String policy = "QUEUE_ON_FULL";
    private @Nullable StandInDeployment production;

    /**
     * @param scaling what an environment has that nobody has configured
     * @param sticky whether production stays where it points to, until somebody promotes
     */
    StandInModel(String id, String name, ObjectNode scaling, boolean sticky) {
        this.id = id;
        this.name = name;
        this.scaling = scaling;
        this.sticky = sticky;
    }

    String id() {
        return id;
    }

    String name() {
        return name;
    }

    List<StandInDeployment> deployments() {
        return deployments;
    }

    Optional<StandInDeployment> deployment(String wanted) {
        return wanted.equals("production")
                ? Optional.ofNullable(production)
                : deployments.stream().filter(each -> each.id().equals(wanted)).findFirst();
    }

    /** The machine that production has had. */
    Optional<String> machine() {
        return Optional.ofNullable(production).map(StandInDeployment::machine);
    }

    boolean isProduction(StandInDeployment deployment) {
        return deployment.equals(production);
    }

    void add(StandInDeployment deployment) {
        deployments.add(deployment);
        if (production == null) {
            production = deployment;
        }
    }

    /** Production goes to what was deployed last, unless it points to a deployment that failed. */
    void deployed(StandInDeployment deployment) {
        StandInDeployment before = production;
        if (before != null && !before.equals(deployment) && (sticky || before.isFailed())) {
            deployment.configure(scaling.deepCopy(), policy);
            return;
        }
        promote(deployment);
    }

    void promote(StandInDeployment deployment) {
        StandInDeployment before = production;
        production = deployment;
        deployment.configure(scaling.deepCopy(), policy);
        if (before != null && !before.equals(deployment)) {
            before.retire();
        }
    }

    /** Changes the environment; it reaches the deployment as soon as that is deployed. */
    String configure(JsonNode changes) {
        ObjectNode before = scaling.deepCopy();
        String policyBefore = policy;
        changes.path("autoscaling_settings").properties().forEach(field -> {
            if (!field.getValue().isNull()) {
                scaling.set(field.getKey(), field.getValue());
            }
        });
        if (scaling.path("max_replica").asInt()
                < Math.max(1, scaling.path("min_replica").asInt())) {
            throw Refusal.bad("max_replica must be at least 1 and at least min_replica");
        }
        policy = changes.path("request_backpressure_settings").path("policy").asText(policy);
        StandInDeployment current = production;
        if (current == null || !current.isUp()) {
            return "QUEUED";
        }
        current.configure(scaling.deepCopy(), policy);
        return before.equals(scaling) && policyBefore.equals(policy) ? "UNCHANGED" : "ACCEPTED";
    }

    ObjectNode json() {
        ObjectNode json = BasetenRoutes.JSON.createObjectNode();
        json.put("id", id).put("created_at", createdAt.toString()).put("name", name);
        json.put("deployments_count", deployments.size());
        StandInDeployment current = production;
        json.put("production_deployment_id", current == null ? null : current.id());
        json.putNull("development_deployment_id");
        json.put("instance_type_name", current == null ? "" : current.machine());
        json.put("team_name", "default");
        return json;
    }

    ObjectNode deploymentsJson(java.util.function.Predicate<StandInDeployment> visible) {
        ObjectNode json = BasetenRoutes.JSON.createObjectNode();
        ArrayNode listed = json.putArray("deployments");
        List.copyOf(deployments).stream()
                .filter(visible)
                .forEach(deployment -> listed.add(deployment.json(isProduction(deployment))));
        return json;
    }

    ObjectNode environmentJson() {
        ObjectNode json = BasetenRoutes.JSON.createObjectNode();
        json.put("name", "production").put("created_at", createdAt.toString()).put("model_id", id);
        StandInDeployment current = production;
        json.set("current_deployment", current == null ? null : current.json(true));
        json.putNull("candidate_deployment").putNull("in_progress_promotion");
        json.set("autoscaling_settings", scaling.deepCopy());
        json.putObject("promotion_settings");
        json.set(
                "instance_type",
                machine().flatMap(Machines::named).map(Machine::json).orElseGet(BasetenRoutes.JSON::createObjectNode));
        json.putObject("request_backpressure_settings").put("policy", policy);
        json.putNull("autoscaling_schedules");
        return json;
    }
}
