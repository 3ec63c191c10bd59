package dev.tuna.examples.command;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.core.machine.RouterVmOptions;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What router VMs run and are handed, by the environment of this command. Pure. */
final class RouterVmEnvironment {

    private static final String JAR = "TUNA_ROUTER_VM_JAR";
    private static final String SHA256 = "TUNA_ROUTER_VM_SHA256";
    private static final String PORT = "TUNA_ROUTER_VM_PORT";

    /** What providers read from there. That of AWS is not among it: the machine has a role of its own. */
    private static final List<String> CREDENTIALS = List.of(
            "RUNPOD_API_KEY", "BASETEN_API_KEY", "MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET", "GOOGLE_CLOUD_PROJECT");

    private RouterVmEnvironment() {}

    static RouterVmOptions of(Map<String, String> environment) {
        RouterVmOptions.Builder options = RouterVmOptions.builder();
        set(environment, JAR).ifPresent(text -> options.jar(jar(text)));
        set(environment, SHA256).ifPresent(options::sha256);
        set(environment, PORT).ifPresent(text -> options.port(port(text)));
        CREDENTIALS.forEach(
                name -> set(environment, name).ifPresent(value -> options.environment(name, Secret.of(value))));
        return options.build();
    }

    private static Optional<String> set(Map<String, String> environment, String name) {
        return Optional.ofNullable(environment.get(name)).filter(value -> !value.isBlank());
    }

    /** An address, or a file. */
    private static URI jar(String text) {
        try {
            return text.matches("[a-z]+:.*")
                    ? URI.create(text)
                    : Path.of(text).toAbsolutePath().toUri();
        } catch (IllegalArgumentException e) {
            throw wrong(JAR, text, "a file, or the https: URL of one");
        }
    }

    private static int port(String text) {
        int port = text.matches("[0-9]{1,5}") ? Integer.parseInt(text) : 0;
        if (port < 1 || port > 65_535) {
            throw wrong(PORT, text, "a port, 1 to 65535");
        }
        return port;
    }

    private static ConfigurationException wrong(String name, String value, String allowed) {
        return new ConfigurationException(
                ErrorCode.INVALID_REQUEST,
                "environment variable " + name + " is '" + value + "' but must be " + allowed);
    }
}
