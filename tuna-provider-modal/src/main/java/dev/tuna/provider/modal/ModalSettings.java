package dev.tuna.provider.modal;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.SecretRef;
import dev.tuna.provider.support.ModelHub;
import dev.tuna.spi.BackendAddress;
import java.net.URI;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What an installation says about Modal. Immutable.
 *
 * @param cli the command line, if it is not {@code modal}
 * @param python the interpreter that has Modal's package
 * @param environment Modal's environment; empty for the workspace's default
 * @param profile the profile of {@code ~/.modal.toml}; empty for the active one
 * @param tokenId the secret with the API token's id
 * @param tokenSecret the secret with the API token's secret
 * @param proxyToken the secret with the proxy token, {@code wk-….ws-…}
 * @param workDirectory where scripts and logs of deployments are kept
 * @param observeInterval how long a list of apps is used before Modal is asked again
 * @param deployTimeout how long a deployment may take, its image included
 * @param commandTimeout how long any other command may take
 * @param hubUrl where Hugging Face tells how large a model is
 */
record ModalSettings(
        Optional<String> cli,
        Optional<String> python,
        Optional<String> environment,
        Optional<String> profile,
        SecretRef tokenId,
        SecretRef tokenSecret,
        SecretRef proxyToken,
        Optional<Path> workDirectory,
        Duration observeInterval,
        Duration deployTimeout,
        Duration commandTimeout,
        URI hubUrl) {

    private static final String CLI = "cli";
    private static final String PYTHON = "python";
    private static final String ENVIRONMENT = "environment";
    private static final String PROFILE = "profile";
    private static final String TOKEN_ID = "token_id_secret";
    private static final String TOKEN_SECRET = "token_secret_secret";
    private static final String PROXY_TOKEN = "proxy_token_secret";
    private static final String WORK_DIRECTORY = "work_dir";
    private static final String INTERVAL = "observe_interval_seconds";
    private static final String DEPLOY_TIMEOUT = "deploy_timeout_seconds";
    private static final String COMMAND_TIMEOUT = "command_timeout_seconds";

    private static final String HUB_URL = "hub_url";

    /** Keys that a request must not set, since the cloud is opened before a request is known. */
    static final List<String> KEYS = List.of(
            CLI,
            PYTHON,
            ENVIRONMENT,
            PROFILE,
            TOKEN_ID,
            TOKEN_SECRET,
            PROXY_TOKEN,
            WORK_DIRECTORY,
            INTERVAL,
            DEPLOY_TIMEOUT,
            COMMAND_TIMEOUT,
            HUB_URL);

    /**
     * Reads the settings of an installation; keys that requests may set too are left to {@link ModalOptions}.
     *
     * @throws ConfigurationException naming every value at fault
     */
    static ModalSettings of(Map<String, String> settings) {
        Reader reader = new Reader(settings);
        ModalSettings read = new ModalSettings(
                reader.text(CLI),
                reader.text(PYTHON),
                reader.name(ENVIRONMENT),
                reader.name(PROFILE),
                reader.secret(TOKEN_ID, "modal/token-id"),
                reader.secret(TOKEN_SECRET, "modal/token-secret"),
                reader.secret(PROXY_TOKEN, "modal/proxy-token"),
                reader.directory(),
                reader.seconds(INTERVAL, 30, 0),
                // An image of ten gigabytes that Modal has not seen yet takes its time.
                reader.seconds(DEPLOY_TIMEOUT, 1800, 1),
                // The command line itself gives up on a server that does not answer after about a minute.
                reader.seconds(COMMAND_TIMEOUT, 90, 1),
                reader.hub());
        if (!reader.problems.isEmpty()) {
            throw new ConfigurationException(ErrorCode.INVALID_REQUEST, "settings of provider modal", reader.problems);
        }
        return read;
    }

    /** Confined to one reading. */
    private static final class Reader {
        private final Map<String, String> settings;
        private final List<String> problems = new ArrayList<>();

        Reader(Map<String, String> settings) {
            this.settings = settings;
        }

        Optional<String> text(String key) {
            return Optional.of(settings.getOrDefault(key, "").strip()).filter(value -> !value.isEmpty());
        }

        /** Modal's own rule for names of environments; profiles need no other. */
        Optional<String> name(String key) {
            Optional<String> name = text(key);
            name.filter(value -> !value.matches("[A-Za-z0-9_.-]{1,64}"))
                    .ifPresent(value -> problems.add(
                            key + " is '" + value + "' but must be 1 to 64 letters, digits, '-', '_' or '.'"));
            return name;
        }

        SecretRef secret(String key, String otherwise) {
            try {
                return new SecretRef(text(key).orElse(otherwise));
            } catch (ConfigurationException e) {
                problems.add(key + " must be the name of a secret, 1 to 128 characters of A-Z a-z 0-9 . _ / -");
                return new SecretRef(otherwise);
            }
        }

        Optional<Path> directory() {
            try {
                return text(WORK_DIRECTORY).map(Path::of);
            } catch (InvalidPathException e) {
                problems.add(WORK_DIRECTORY + " is no path of this machine");
                return Optional.empty();
            }
        }

        URI hub() {
            Optional<String> value = text(HUB_URL);
            try {
                return value.map(url -> BackendAddress.of(URI.create(url)).url())
                        .orElse(ModelHub.HUGGING_FACE);
            } catch (IllegalArgumentException e) {
                problems.add(HUB_URL + " is not a URL such as " + ModelHub.HUGGING_FACE);
                return ModelHub.HUGGING_FACE;
            }
        }

        Duration seconds(String key, int otherwise, int least) {
            String value = text(key).orElse(Integer.toString(otherwise));
            if (value.matches("\\d{1,5}") && Integer.parseInt(value) >= least) {
                return Duration.ofSeconds(Integer.parseInt(value));
            }
            problems.add(key + " is '" + value + "' but must be a number of seconds, " + least + " to 99999");
            return Duration.ofSeconds(otherwise);
        }
    }
}
