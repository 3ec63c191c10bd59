package dev.tuna.provider.cloudrun;

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
import java.util.Map;
import java.util.TreeMap;

/**
 * The body of a plan: the service that Cloud Run will be sent, with {@code ***} where a secret will stand, and which secret
 * stands where. Immutable but for {@code service}, which nobody changes.
 *
 * @param place where it will be
 * @param service the service, as {@code POST .../services} takes it
 * @param secrets environment variable to the secret that it gets
 */
record ServicePlan(Place place, ObjectNode service, Map<String, SecretRef> secrets) {

    static final ObjectMapper JSON = JsonMapper.builder().build();

    static final String MASK = "***";

    ServicePlan {
        secrets = Map.copyOf(secrets);
    }

    /**
     * Reads the body of a plan, which may come from a store.
     *
     * @throws ConfigurationException if it is no plan of this provider
     */
    static ServicePlan read(String body) {
        try {
            JsonNode plan = JSON.readTree(body);
            if (plan.path("service") instanceof ObjectNode service && plan.hasNonNull("name")) {
                Map<String, SecretRef> secrets = new LinkedHashMap<>();
                plan.path("secrets")
                        .properties()
                        .forEach(field -> secrets.put(
                                field.getKey(), new SecretRef(field.getValue().asText())));
                return new ServicePlan(Place.of(plan.path("name").asText()), service, secrets);
            }
        } catch (JacksonException e) {
            // Told below; the parser's text would quote the body.
        }
        throw new ConfigurationException(
                ErrorCode.INVALID_REQUEST, "the plan is not one of provider cloudrun; plan again");
    }

    String text() {
        ObjectNode plan = JSON.createObjectNode();
        plan.put("name", place.toString());
        plan.set("service", service);
        ObjectNode references = plan.putObject("secrets");
        new TreeMap<>(secrets).forEach((variable, ref) -> references.put(variable, ref.name()));
        return plan.toPrettyString();
    }

    /** What tells this plan from others. */
    String digest() {
        return service.path("annotations").path(Service.PLAN).asText();
    }

    /** The secrets' values by environment variable. */
    Map<String, Secret> values(SecretStore store) {
        Map<String, Secret> values = new TreeMap<>();
        secrets.forEach((variable, ref) -> values.put(variable, secret(store, ref)));
        return values;
    }

    /** The service with the secrets in their places, as values that no text form shows. */
    ObjectNode request(Map<String, Secret> values) {
        ObjectNode request = service.deepCopy();
        for (JsonNode container : request.path("template").path("containers")) {
            for (JsonNode variable : container.path("env")) {
                Secret value = values.get(variable.path("name").asText());
                if (value != null) {
                    ((ObjectNode) variable).putPOJO("value", value);
                }
            }
        }
        return request;
    }

    private static Secret secret(SecretStore store, SecretRef ref) {
        return store.get(ref)
                .orElseThrow(() -> ProviderException.of(CloudRunProvider.NAME, "look up secret")
                        .code(ErrorCode.CREDENTIALS)
                        .message("there is no secret '" + ref.name() + "'; put it into the secret store")
                        .build());
    }

    /** Without the service, which holds the user's environment. */
    @Override
    public String toString() {
        return "ServicePlan[" + place + "]";
    }
}
