package dev.tuna.provider.cloudrun;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.SecretRef;
import dev.tuna.provider.support.ModelHub;
import dev.tuna.provider.support.SettingReader;
import java.net.URI;
import java.time.Duration;
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
        var reader = new SettingReader(CloudRunProvider.NAME, settings);
        var read = new CloudRunSettings(
                reader.url(API_URL, "http://127.0.0.1:8080"),
                reader.urlOr(HUB_URL, ModelHub.HUGGING_FACE.toString()),
                reader.secretOr(CREDENTIALS, "cloudrun/credentials"),
                reader.text(QUOTA_PROJECT),
                reader.seconds(INTERVAL, 10, 0, 9999));
        reader.throwIfAny();
        return read;
    }
}
