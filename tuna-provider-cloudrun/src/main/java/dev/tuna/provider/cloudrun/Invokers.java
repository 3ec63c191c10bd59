package dev.tuna.provider.cloudrun;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Who may call a service. Pure. */
final class Invokers {

    static final String ROLE = "roles/run.invoker";

    private Invokers() {}

    /** Whether a policy lets an account in without conditions. */
    static boolean allows(JsonNode policy, String account) {
        for (JsonNode binding : policy.path("bindings")) {
            if (isOurs(binding)) {
                for (JsonNode member : binding.path("members")) {
                    if (member.asText().equals(member(account))) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    /** The same policy, with its etag and everybody else, and the account. */
    static ObjectNode adding(JsonNode policy, String account) {
        ObjectNode more = policy.isObject() ? policy.deepCopy() : ServicePlan.JSON.createObjectNode();
        ArrayNode bindings = more.withArray("bindings");
        for (JsonNode binding : bindings) {
            if (isOurs(binding)) {
                ((ObjectNode) binding).withArray("members").add(member(account));
                return more;
            }
        }
        bindings.addObject().put("role", ROLE).putArray("members").add(member(account));
        return more;
    }

    private static boolean isOurs(JsonNode binding) {
        return binding.path("role").asText().equals(ROLE) && !binding.has("condition");
    }

    private static String member(String account) {
        return "serviceAccount:" + account;
    }
}
