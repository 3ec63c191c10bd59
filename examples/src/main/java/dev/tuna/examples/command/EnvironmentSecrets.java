package dev.tuna.examples.command;

import dev.tuna.api.DeployRequest;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.SecretStore;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** What the model server is to have of this process's environment. Values go to the secret store, never into a request. */
final class EnvironmentSecrets {

    private static final String HUB_TOKEN = "HF_TOKEN";

    /** What is taken whenever it is set. */
    static final Set<String> ALWAYS = Set.of(HUB_TOKEN);

    @Option(
            names = "--secret-env",
            paramLabel = "VARIABLE",
            description = "Hand this environment variable to the model server as a secret; may be repeated. HF_TOKEN is"
                    + " handed over whenever it is set.")
    private List<String> variables = List.of();

    /** Every variable that may be kept. */
    Set<String> names() {
        var names = new TreeSet<>(ALWAYS);
        names.addAll(variables);
        return names;
    }

    /**
     * Keeps the values, for one deployment and for this attempt at it: what lives has those that it was deployed with, whatever
     * becomes of others, or of another one of its name.
     *
     * @param service name of the deployment
     * @throws ParameterException if a variable that was named is not set; nothing is kept then
     */
    Map<String, SecretRef> keep(
            String service, Map<String, String> environment, SecretStore store, CommandSpec command) {
        var wanted = new ArrayList<>(variables);
        if (!environment.getOrDefault(HUB_TOKEN, "").isBlank() && !wanted.contains(HUB_TOKEN)) {
            wanted.add(HUB_TOKEN);
        }
        String attempt = prefix(service) + Drawn.digits() + "/";
        var refs = new LinkedHashMap<String, SecretRef>();
        for (String variable : wanted) {
            if (environment.getOrDefault(variable, "").isBlank()) {
                throw new ParameterException(
                        command.commandLine(), "--secret-env names " + variable + ", which is not set");
            }
            refs.put(variable, new SecretRef(attempt + variable));
        }
        refs.forEach((variable, ref) -> store.put(ref, Secret.of(environment.getOrDefault(variable, ""))));
        return refs;
    }

    /** Removes what was kept for a deployment that is over or was never taken on, and nothing that another one has. */
    static void forget(DeployRequest request, SecretStore store) {
        request.serviceName()
                .map(EnvironmentSecrets::prefix)
                .ifPresent(own -> request.secrets().values().stream()
                        .filter(ref -> ref.name().startsWith(own))
                        .forEach(store::remove));
    }

    /** Removes all that was kept for deployments of this name, of which none lives. */
    static void forget(String service, SecretStore store) {
        store.names(prefix(service)).forEach(store::remove);
    }

    private static String prefix(String service) {
        return "environment/" + service + "/";
    }
}
