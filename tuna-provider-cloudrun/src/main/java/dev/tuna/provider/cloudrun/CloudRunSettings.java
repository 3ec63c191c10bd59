package dev.tuna.provider.cloudrun;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.SecretRef;
import dev.tuna.provider.support.ModelHub;
import dev.tuna.spi.BackendAddress;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What an installation says about Cloud Run. Immutable.
 *
 * @param apiUrl one URL in place of all of Google's hosts
 * @param hubUrl where Hugging Face tells how large a model is
 * @param credentials the secret with a credential file
 * @param quotaProject the project that API calls are counted for, if it is said
 * @param observeInterval how long an observation is used before Cloud Run is asked again
 */
record CloudRunSettings(
        Optional<URI> apiUrl,
        URI hubUrl,
        SecretRef credentials,
        Optional<String> quotaProject,
        Duration observeInterval) {

    private static final String API_URL = "api_url";
    private static final String HUB_URL = "hub_url";
    private static final String CREDENTIALS = "credentials_secret";
    private static final String QUOTA_PROJECT = "quota_project";
    private static final String INTERVAL = "observe_interval_seconds";

    /** Keys that a request must not set, since the cloud is opened before a request is known. */
    static final List<String> KEYS = List.of(API_URL, HUB_URL, CREDENTIALS, QUOTA_PROJECT, INTERVAL);

    /**
     * Reads the settings of an installation; keys that requests may set too are left to {@link CloudRunOptions}.
     *
     * @throws ConfigurationException naming every value at fault
     */
    static CloudRunSettings of(Map<String, String> settings) {
        List<String> problems = new ArrayList<>();
        Optional<URI> api = Optional.ofNullable(settings.get(API_URL)).flatMap(url -> url(API_URL, url, problems));
        Optional<URI> hub = Optional.ofNullable(settings.get(HUB_URL)).flatMap(url -> url(HUB_URL, url, problems));
        Optional<SecretRef> credentials = secret(settings.getOrDefault(CREDENTIALS, "cloudrun/credentials"), problems);
        Duration interval = seconds(settings.getOrDefault(INTERVAL, "10"), problems);
        if (!problems.isEmpty()) {
            throw new ConfigurationException(ErrorCode.INVALID_REQUEST, "settings of provider cloudrun", problems);
        }
        return new CloudRunSettings(
                api,
                hub.orElse(ModelHub.HUGGING_FACE),
                credentials.orElseThrow(),
                Optional.ofNullable(settings.get(QUOTA_PROJECT)),
                interval);
    }

    private static Optional<URI> url(String key, String value, List<String> problems) {
        try {
            return Optional.of(
                    BackendAddress.of(URI.create(value.replaceFirst("/+$", ""))).url());
        } catch (IllegalArgumentException e) {
            problems.add(key + " is not a URL such as http://127.0.0.1:8080");
            return Optional.empty();
        }
    }

    private static Optional<SecretRef> secret(String name, List<String> problems) {
        try {
            return Optional.of(new SecretRef(name));
        } catch (ConfigurationException e) {
            problems.add(CREDENTIALS + " must be the name of a secret, 1 to 128 characters of A-Z a-z 0-9 . _ / -");
            return Optional.empty();
        }
    }

    private static Duration seconds(String value, List<String> problems) {
        if (value.matches("\\d{1,4}")) {
            return Duration.ofSeconds(Integer.parseInt(value));
        }
        problems.add(INTERVAL + " is '" + value + "' but must be a number of seconds, 0 to 9999");
        return Duration.ZERO;
    }
}
