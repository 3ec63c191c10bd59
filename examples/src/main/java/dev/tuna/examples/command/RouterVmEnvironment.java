package dev.tuna.examples.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.core.machine.RouterVmOptions;
import dev.tuna.core.machine.RouterVmOptions.Need;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What router VMs run and are handed, by the environment of this command and the file with credentials that it names. */
final class RouterVmEnvironment {

    private static final String JAR = "TUNA_ROUTER_VM_JAR";
    private static final String SHA256 = "TUNA_ROUTER_VM_SHA256";
    private static final String PORT = "TUNA_ROUTER_VM_PORT";

    /** What providers read from there. That of AWS is not among it: the machine has a role of its own. */
    private static final List<String> CREDENTIALS = List.of(
            "RUNPOD_API_KEY",
            "BASETEN_API_KEY",
            "GOOGLE_CLOUD_PROJECT",
            "GOOGLE_CLOUD_REGION",
            "GOOGLE_CLOUD_QUOTA_PROJECT");

    /** A file stays here, so what is in it goes. The login of a person goes nowhere unless its file is named. */
    private static final String GOOGLE_FILE = "GOOGLE_APPLICATION_CREDENTIALS";

    private static final String GOOGLE_TEXT = "GOOGLE_APPLICATION_CREDENTIALS_JSON";

    private static final Need GOOGLE = new Need(
            GOOGLE_TEXT,
            "no credentials for Google would go there. Set " + GOOGLE_FILE + " to a file with a service account's key"
                    + " (or, if that is what you want, with your own login), whose content goes to a machine that is made from"
                    + " then on, as a secret; or keep that content as secret 'cloudrun/credentials'");

    private static final Need MODAL =
            Need.never("Modal is deployed to by its command line, which a router VM does not have; choose another"
                    + " serverless provider, or let the deployment be looked after here");

    private static final JsonMapper JSON = new JsonMapper();

    private RouterVmEnvironment() {}

    static RouterVmOptions of(Map<String, String> environment) {
        RouterVmOptions.Builder options = RouterVmOptions.builder();
        set(environment, JAR).ifPresent(text -> options.jar(jar(text)));
        set(environment, SHA256).ifPresent(options::sha256);
        set(environment, PORT).ifPresent(text -> options.port(port(text)));
        CREDENTIALS.forEach(
                name -> set(environment, name).ifPresent(value -> options.environment(name, Secret.of(value))));
        google(environment).ifPresent(text -> options.environment(GOOGLE_TEXT, text));
        return options.need(GoogleCloud.PROVIDER, GOOGLE).need("modal", MODAL).build();
    }

    /** On one line; empty if there is none that could be used. Whether that matters is seen when something is deployed. */
    private static Optional<Secret> google(Map<String, String> environment) {
        return set(environment, GOOGLE_TEXT)
                .or(() -> set(environment, GOOGLE_FILE).flatMap(RouterVmEnvironment::text))
                .flatMap(RouterVmEnvironment::oneLine);
    }

    private static Optional<String> text(String file) {
        try {
            return Optional.of(Files.readString(Path.of(file)));
        } catch (IOException | InvalidPathException e) {
            return Optional.empty();
        }
    }

    private static Optional<Secret> oneLine(String text) {
        try {
            JsonNode json = JSON.readTree(text);
            return json.isObject() ? Optional.of(Secret.of(json.toString())) : Optional.empty();
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
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
