package dev.tuna.provider.runpod;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.SecretStore;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The body of a plan: what {@code POST /v2/serverless} will be sent, with {@code ***} where a secret will stand, and which
 * secret stands where. Immutable but for {@code create}, which nobody changes.
 *
 * @param create the request
 * @param secrets environment variable to the secret that it gets
 */
record EndpointPlan(ObjectNode create, Map<String, SecretRef> secrets) {

    static final ObjectMapper JSON = JsonMapper.builder().build();

    static final String MASK = "***";

    EndpointPlan {
        secrets = Map.copyOf(secrets);
    }

    /**
     * Reads the body of a plan, which may come from a store.
     *
     * @throws ConfigurationException if it is no plan of this provider
     */
    static EndpointPlan read(String body) {
        try {
            JsonNode plan = JSON.readTree(body);
            if (plan.path("create") instanceof ObjectNode create && create.hasNonNull("name")) {
                Map<String, SecretRef> secrets = new LinkedHashMap<>();
                plan.path("secrets")
                        .properties()
                        .forEach(field -> secrets.put(
                                field.getKey(), new SecretRef(field.getValue().asText())));
                return new EndpointPlan(create, secrets);
            }
        } catch (JacksonException e) {
            // Told below; the parser's text would quote the body.
        }
        throw new ConfigurationException(
                ErrorCode.INVALID_REQUEST, "the plan is not one of provider runpod; plan again");
    }

    String text() {
        ObjectNode plan = JSON.createObjectNode();
        plan.set("create", create);
        ObjectNode references = plan.putObject("secrets");
        new TreeMap<>(secrets).forEach((variable, ref) -> references.put(variable, ref.name()));
        return plan.toPrettyString();
    }

    /** The secrets that the request will hold. */
    List<Secret> secrets(SecretStore store) {
        return secrets.values().stream().map(ref -> secret(store, ref)).toList();
    }

    /** The request with the secrets in their places, as values that no text form shows. */
    Map<String, Object> request(SecretStore store) {
        Map<String, Object> request = new LinkedHashMap<>();
        create.properties().forEach(field -> request.put(field.getKey(), field.getValue()));
        request.put("env", environment(store));
        return request;
    }

    private Map<String, Object> environment(SecretStore store) {
        Map<String, Object> environment = new LinkedHashMap<>();
        create.path("env").properties().forEach(field -> {
            SecretRef ref = secrets.get(field.getKey());
            environment.put(field.getKey(), ref == null ? field.getValue() : secret(store, ref));
        });
        return environment;
    }

    private static Secret secret(SecretStore store, SecretRef ref) {
        return store.get(ref)
                .orElseThrow(() -> ProviderException.of(RunPodProvider.NAME, "look up secret")
                        .code(ErrorCode.CREDENTIALS)
                        .message("there is no secret '" + ref.name() + "'; put it into the secret store")
                        .build());
    }

    /** Without the request, which holds the user's environment. */
    @Override
    public String toString() {
        return "EndpointPlan[" + create.path("name").asText() + "]";
    }
}
