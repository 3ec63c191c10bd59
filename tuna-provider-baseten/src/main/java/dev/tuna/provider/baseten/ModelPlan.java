package dev.tuna.provider.baseten;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.SecretRef;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * The body of a plan. Secrets are not in what is pushed; they are put into the workspace and named. Immutable but for the
 * JSON, which nobody changes.
 *
 * @param name the model's name
 * @param deployment what is pushed: the same for the preparation and for the commit
 * @param settings what {@code PATCH /v1/models/{}/environments/production} is sent
 * @param secrets a secret of the workspace to the one whose value it gets
 */
record ModelPlan(String name, ObjectNode deployment, ObjectNode settings, Map<String, SecretRef> secrets) {

    static final ObjectMapper JSON = JsonMapper.builder().build();

    private static final String MODEL = "model";
    private static final String DEPLOYMENT = "deployment";
    private static final String SETTINGS = "settings";
    private static final String SECRETS = "secrets";

    ModelPlan {
        secrets = Map.copyOf(secrets);
    }

    /**
     * Reads the body of a plan, which may come from a store.
     *
     * @throws ConfigurationException if it is no plan of this provider
     */
    static ModelPlan read(String body) {
        try {
            JsonNode plan = JSON.readTree(body);
            if (plan.hasNonNull(MODEL)
                    && plan.path(DEPLOYMENT) instanceof ObjectNode deployment
                    && deployment.path("labels").hasNonNull(Labels.PLAN)
                    && plan.path(SETTINGS) instanceof ObjectNode settings) {
                Map<String, SecretRef> secrets = new LinkedHashMap<>();
                plan.path(SECRETS)
                        .properties()
                        .forEach(field -> secrets.put(
                                field.getKey(), new SecretRef(field.getValue().asText())));
                return new ModelPlan(plan.path(MODEL).asText(), deployment, settings, secrets);
            }
        } catch (JacksonException e) {
            // Told below; the parser's text would quote the body.
        }
        throw new ConfigurationException(
                ErrorCode.INVALID_REQUEST, "the plan is not one of provider baseten; plan again");
    }

    String text() {
        ObjectNode plan = JSON.createObjectNode();
        plan.put(MODEL, name);
        plan.set(DEPLOYMENT, deployment);
        plan.set(SETTINGS, settings);
        ObjectNode references = plan.putObject(SECRETS);
        new TreeMap<>(secrets).forEach((secret, ref) -> references.put(secret, ref.name()));
        return plan.toPrettyString();
    }

    /** Tells deployments of this plan from those of another one. */
    String fingerprint() {
        return deployment.path("labels").path(Labels.PLAN).asText();
    }

    /** {@code config.yaml}; JSON is YAML. */
    String config() {
        return deployment.path("config").toPrettyString();
    }

    /** The name only: the configuration may hold what a user calls confidential. */
    @Override
    public String toString() {
        return "ModelPlan[" + name + "]";
    }
}
