package dev.tuna.provider.modal;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.SecretRef;
import dev.tuna.provider.support.ModelHub;
import dev.tuna.provider.support.SettingReader;
import java.net.URI;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
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
        var reader = new SettingReader(ModalProvider.NAME, settings);
        var read = new ModalSettings(
                reader.text(CLI),
                reader.text(PYTHON),
                name(reader, ENVIRONMENT),
                name(reader, PROFILE),
                reader.secretOr(TOKEN_ID, "modal/token-id"),
                reader.secretOr(TOKEN_SECRET, "modal/token-secret"),
                reader.secretOr(PROXY_TOKEN, "modal/proxy-token"),
                directory(reader),
                reader.seconds(INTERVAL, 30, 0, 99_999),
                // An image of ten gigabytes that Modal has not seen yet takes its time.
                reader.seconds(DEPLOY_TIMEOUT, 1800, 1, 99_999),
                // The command line itself gives up on a server that does not answer after about a minute.
                reader.seconds(COMMAND_TIMEOUT, 90, 1, 99_999),
                reader.urlOr(HUB_URL, ModelHub.HUGGING_FACE.toString()));
        reader.throwIfAny();
        return read;
    }

    /** Modal's own rule for names of environments; profiles need no other. */
    private static Optional<String> name(SettingReader reader, String key) {
        return reader.matching(key, "[A-Za-z0-9_.-]{1,64}", "1 to 64 letters, digits, '-', '_' or '.'");
    }

    private static Optional<Path> directory(SettingReader reader) {
        try {
            return reader.text(WORK_DIRECTORY).map(Path::of);
        } catch (InvalidPathException e) {
            reader.add(WORK_DIRECTORY + " is no path of this machine");
            return Optional.empty();
        }
    }
}
