package dev.tuna.core.provider;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Which artifact holds which of Tuna's own plugins, for error messages. Pure. */
final class Artifacts {

    static final Map<String, String> SERVERLESS = Map.of(
            "modal", "dev.tuna:tuna-provider-modal",
            "runpod", "dev.tuna:tuna-provider-runpod",
            "cloudrun", "dev.tuna:tuna-provider-cloudrun",
            "baseten", "dev.tuna:tuna-provider-baseten",
            "local", "dev.tuna:tuna-testkit");

    static final Map<String, String> SPOT = Map.of(
            "aws", "dev.tuna:tuna-spot-aws",
            "local-spot", "dev.tuna:tuna-testkit");

    private Artifacts() {}

    /** What to add, for instance {@code dev.tuna:tuna-spot-aws for 'aws'}, sorted by name. */
    static String listed(Map<String, String> artifacts) {
        var parts = new ArrayList<String>();
        new TreeMap<>(artifacts).forEach((name, artifact) -> parts.add(artifact + " for '" + name + "'"));
        return String.join(", ", parts);
    }

    /** The artifact of a name, else of the first of the names it may have been meant to be. */
    static Optional<String> advice(Map<String, String> artifacts, String name, List<String> meant) {
        if (artifacts.containsKey(name)) {
            return Optional.of("add " + artifacts.get(name) + " to the class path");
        }
        return meant.stream()
                .filter(artifacts::containsKey)
                .findFirst()
                .map(near -> "'" + near + "' is in " + artifacts.get(near));
    }
}
