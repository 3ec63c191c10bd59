package dev.tuna.provider.runpod;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What has to change for an endpoint to be as a request says. A change of image or environment replaces its workers. Pure. */
final class EndpointChanges {

    private static final List<String> FIXED = List.of("name", "type");

    private EndpointChanges() {}

    /**
     * The fields to send; empty if nothing differs.
     *
     * @throws ConfigurationException if what differs cannot be changed
     */
    static Map<String, Object> of(Endpoint endpoint, Map<String, Object> request) {
        String wanted = String.valueOf(request.get("type")).replace("\"", "");
        if (!endpoint.type().isEmpty() && !endpoint.type().equals(wanted)) {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    "endpoint " + endpoint.name() + " is of type " + endpoint.type()
                            + ", which RunPod cannot change to " + wanted
                            + "; destroy it first or give the deployment another name");
        }
        Map<String, Object> changes = new LinkedHashMap<>(endpoint.unparking());
        request.forEach((field, value) -> {
            if (!FIXED.contains(field) && !matches(endpoint.json().path(field), value)) {
                changes.put(field, value);
            }
        });
        return changes;
    }

    /** RunPod adds fields and drops empty lists; only what was asked for has to be there. */
    private static boolean matches(JsonNode is, Object wanted) {
        if (wanted instanceof Secret secret) {
            return is.isTextual() && secret.equals(Secret.of(nonEmpty(is.asText())));
        }
        if (wanted instanceof Map<?, ?> map) {
            return map.size() == is.size()
                    && map.entrySet().stream()
                            .allMatch(entry -> matches(
                                    is.path(String.valueOf(entry.getKey())), Objects.requireNonNull(entry.getValue())));
        }
        JsonNode node = wanted instanceof JsonNode json ? json : MissingNode.getInstance();
        if (node.isObject()) {
            for (Map.Entry<String, JsonNode> field : node.properties()) {
                if (!matches(is.path(field.getKey()), field.getValue())) {
                    return false;
                }
            }
            // Exclusions that are not asked for any more must go.
            return node.has("excludedTypes") || is.path("excludedTypes").isEmpty();
        }
        if (node.isNumber()) {
            return is.isNumber() && node.decimalValue().compareTo(is.decimalValue()) == 0;
        }
        return (node.isArray() && node.isEmpty() && is.isEmpty()) || node.equals(is);
    }

    private static String nonEmpty(String value) {
        return value.isEmpty() ? " " : value;
    }
}
