package dev.tuna.examples.command;

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
     * Keeps the values.
     *
     * @throws ParameterException if a variable that was named is not set
     */
    Map<String, SecretRef> keep(Map<String, String> environment, SecretStore store, CommandSpec command) {
        var wanted = new ArrayList<>(variables);
        if (!environment.getOrDefault(HUB_TOKEN, "").isBlank() && !wanted.contains(HUB_TOKEN)) {
            wanted.add(HUB_TOKEN);
        }
        var refs = new LinkedHashMap<String, SecretRef>();
        for (String variable : wanted) {
            String value = environment.getOrDefault(variable, "");
            if (value.isBlank()) {
                throw new ParameterException(
                        command.commandLine(), "--secret-env names " + variable + ", which is not set");
            }
            var ref = new SecretRef("environment/" + variable);
            store.put(ref, Secret.of(value));
            refs.put(variable, ref);
        }
        return refs;
    }
}
