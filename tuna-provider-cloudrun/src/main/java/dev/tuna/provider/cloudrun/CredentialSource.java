package dev.tuna.provider.cloudrun;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.SecretStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks for a credential file in the order of Application Default Credentials, behind the secret store and a variable with
 * such a file's content. Each look is anew,
 * since files and secrets change. Thread-safe.
 */
final class CredentialSource {

    private static final Logger LOG = LoggerFactory.getLogger(CredentialSource.class);
    /** The content of such a file, for where there is none: on the machine of a router. */
    private static final String TEXT_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS_JSON";

    static final String FILE_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS";
    private static final String WELL_KNOWN = "application_default_credentials.json";

    private final SecretStore secrets;
    private final SecretRef secret;
    private final UnaryOperator<String> environment;

    /**
     * @param environment looks up an environment variable; null stands for "not set"
     */
    CredentialSource(SecretStore secrets, SecretRef secret, UnaryOperator<String> environment) {
        this.secrets = secrets;
        this.secret = secret;
        this.environment = environment;
    }

    /**
     * A credential file that was found.
     *
     * @param where in words
     * @param text its content
     */
    record Found(String where, Secret text) {

        /** A field of the file, if the file is JSON and has it. */
        Optional<String> field(String name) {
            try {
                JsonNode file = ServicePlan.JSON.readTree(text.reveal());
                return Optional.of(file.path(name).asText("")).filter(value -> !value.isEmpty());
            } catch (JacksonException e) {
                return Optional.empty();
            }
        }
    }

    Optional<Found> find() {
        Optional<Secret> stored = secrets.get(secret);
        if (stored.isPresent()) {
            return stored.map(text -> new Found("secret '" + secret.name() + "'", text));
        }
        Optional<String> brought = variable(TEXT_VARIABLE);
        if (brought.isPresent()) {
            return brought.map(text -> new Found(TEXT_VARIABLE, Secret.of(text)));
        }
        Optional<String> named = variable(FILE_VARIABLE);
        return named.isPresent()
                ? read(named.get(), FILE_VARIABLE + "=" + named.get())
                : wellKnown().flatMap(path -> read(path, path));
    }

    Optional<String> variable(String name) {
        return Optional.ofNullable(environment.apply(name)).map(String::strip).filter(value -> !value.isEmpty());
    }

    private Optional<String> wellKnown() {
        Optional<String> moved = variable("CLOUDSDK_CONFIG");
        if (moved.isPresent()) {
            return moved.map(folder -> folder + "/" + WELL_KNOWN);
        }
        boolean windows =
                System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("windows");
        return windows
                ? variable("APPDATA").map(folder -> folder + "/gcloud/" + WELL_KNOWN)
                : variable("HOME").map(folder -> folder + "/.config/gcloud/" + WELL_KNOWN);
    }

    private static Optional<Found> read(String path, String where) {
        try {
            Path file = Path.of(path);
            return Files.isRegularFile(file)
                    ? Optional.of(Files.readString(file))
                            .filter(text -> !text.isBlank())
                            .map(text -> new Found(where, Secret.of(text)))
                    : Optional.empty();
        } catch (IOException | InvalidPathException e) {
            LOG.warn("{} cannot be read: {}", path, e.getClass().getSimpleName());
            return Optional.empty();
        }
    }
}
