package dev.tuna.provider.modal;

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
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The body of a plan: the script that will be deployed, under which tag, and which secret it is given in which variable.
 * Immutable.
 *
 * @param app the app's name
 * @param tag the version's tag
 * @param volume the volume that the script makes, if it is one of this deployment's own
 * @param script the Python file
 * @param secrets variable of the container to the secret that it gets
 */
record AppPlan(String app, VersionTag tag, Optional<String> volume, String script, Map<String, SecretRef> secrets) {

    static final ObjectMapper JSON = JsonMapper.builder().build();

    /** Under which names the script looks for secrets when it is deployed. */
    static final String VARIABLE_PREFIX = "TUNA_SECRET_";

    AppPlan {
        Objects.requireNonNull(app, "app");
        Objects.requireNonNull(tag, "tag");
        Objects.requireNonNull(volume, "volume");
        Objects.requireNonNull(script, "script");
        secrets = Map.copyOf(secrets);
    }

    /**
     * Reads the body of a plan, which may come from a store.
     *
     * @throws ConfigurationException if it is no plan of this provider
     */
    static AppPlan read(String body) {
        try {
            JsonNode plan = JSON.readTree(body);
            Optional<VersionTag> tag = VersionTag.parse(plan.path("tag").asText(""));
            if (tag.isPresent() && plan.hasNonNull("app") && plan.hasNonNull("script")) {
                Map<String, SecretRef> secrets = new LinkedHashMap<>();
                plan.path("secrets")
                        .properties()
                        .forEach(field -> secrets.put(
                                field.getKey(), new SecretRef(field.getValue().asText())));
                return new AppPlan(
                        plan.path("app").asText(),
                        tag.get(),
                        Optional.of(plan.path("volume").asText("")).filter(name -> !name.isEmpty()),
                        plan.path("script").asText(),
                        secrets);
            }
        } catch (JacksonException e) {
            // Told below; the parser's text would quote the body.
        }
        throw new ConfigurationException(
                ErrorCode.INVALID_REQUEST, "the plan is not one of provider modal; plan again");
    }

    String text() {
        ObjectNode plan = JSON.createObjectNode();
        plan.put("app", app).put("tag", tag.text());
        volume.ifPresent(name -> plan.put("volume", name));
        ObjectNode references = plan.putObject("secrets");
        new TreeMap<>(secrets).forEach((variable, ref) -> references.put(variable, ref.name()));
        plan.put("script", script);
        return plan.toPrettyString();
    }

    /** What the deploying process is given beside its own environment. */
    Map<String, Secret> variables(SecretStore store) {
        Map<String, Secret> variables = new LinkedHashMap<>();
        secrets.forEach((variable, ref) -> variables.put(VARIABLE_PREFIX + variable, secret(store, ref)));
        return variables;
    }

    private static Secret secret(SecretStore store, SecretRef ref) {
        return store.get(ref)
                .orElseThrow(() -> ProviderException.of(ModalProvider.NAME, "look up secret")
                        .code(ErrorCode.CREDENTIALS)
                        .message("there is no secret '" + ref.name() + "'; put it into the secret store")
                        .build());
    }

    /** Without the script, which holds the user's arguments. */
    @Override
    public String toString() {
        return "AppPlan[" + app + ", " + tag.text() + "]";
    }
}
