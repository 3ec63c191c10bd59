package dev.tuna.examples.command;

import dev.tuna.api.Secret;
import dev.tuna.core.machine.RouterVmOptions;
import java.util.List;
import java.util.Map;

/** What a router VM is handed of the environment of this command: the credentials that providers read from there. */
final class RouterVmEnvironment {

    /** Those of AWS are not among them: the machine has a role of its own. */
    private static final List<String> CREDENTIALS = List.of(
            "RUNPOD_API_KEY", "BASETEN_API_KEY", "MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET", "GOOGLE_CLOUD_PROJECT");

    private RouterVmEnvironment() {}

    static RouterVmOptions of(Map<String, String> environment) {
        RouterVmOptions.Builder options = RouterVmOptions.builder();
        environment.forEach((name, value) -> {
            if (CREDENTIALS.contains(name) && !value.isBlank()) {
                options.environment(name, Secret.of(value));
            }
        });
        return options.build();
    }
}
