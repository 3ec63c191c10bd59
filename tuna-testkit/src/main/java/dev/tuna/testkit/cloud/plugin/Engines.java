package dev.tuna.testkit.cloud.plugin;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.SecretStore;
import dev.tuna.testkit.cloud.model.CloudJson;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** What both plugins do with an engine: refuse what they cannot honour, and resolve its secrets. */
final class Engines {

    private Engines() {}

    static void refuseUnsupported(String provider, EngineSpec engine, Map<String, String> options) {
        List<String> problems = new ArrayList<>();
        engine.containerImage()
                .ifPresent(image -> problems.add("container image is '" + image + "' but must not be set: " + provider
                        + " runs the command it was started with"));
        for (String option : new TreeSet<>(options.keySet())) {
            problems.add("option '" + option + "' is not known; " + provider
                    + " takes no options with a request, its url is a setting of the installation");
        }
        if (!problems.isEmpty()) {
            throw new ConfigurationException(ErrorCode.INVALID_REQUEST, "provider " + provider, problems);
        }
    }

    /** Reads the body of a plan, which may come from a store. */
    static <T> T body(String provider, String body, Class<T> type) {
        try {
            return CloudJson.read(body, type);
        } catch (IllegalArgumentException e) {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    "the plan is not one of provider " + provider + ": " + e.getMessage() + "; plan again",
                    e);
        }
    }

    static Secret secret(SecretStore store, SecretRef ref) {
        return store.get(ref)
                .orElseThrow(() -> new ConfigurationException(
                        ErrorCode.INVALID_REQUEST,
                        "secret '" + ref.name() + "' is not in the secret store; put it there first"));
    }

    /** The engine's own secrets; none of these goes anywhere but into the machine's environment. */
    static Map<String, Secret> environment(SecretStore store, EngineSpec engine) {
        Map<String, Secret> environment = new HashMap<>();
        engine.secrets().forEach((name, ref) -> environment.put(name, secret(store, ref)));
        return environment;
    }

    /** The names under which vLLM and llama.cpp look for the key that they demand. */
    static Map<String, Secret> keyVariables(Secret key) {
        return Map.of("VLLM_API_KEY", key, "LLAMA_API_KEY", key);
    }

    static List<Check> secretChecks(SecretStore store, EngineSpec engine) {
        List<Check> checks = new ArrayList<>();
        for (SecretRef ref : new LinkedHashSet<>(engine.secrets().values())) {
            if (store.get(ref).isEmpty()) {
                checks.add(Check.failed(
                        "secret_present",
                        "secret '" + ref.name() + "' is not in the secret store",
                        "put '" + ref.name() + "' into the secret store"));
            }
        }
        return checks;
    }
}
