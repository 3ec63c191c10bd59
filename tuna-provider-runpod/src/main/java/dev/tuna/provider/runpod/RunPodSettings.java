package dev.tuna.provider.runpod;

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
 * What an installation says about RunPod. Immutable.
 *
 * @param apiUrl where endpoints are managed
 * @param serverlessUrl where queue endpoints take requests
 * @param hubUrl where Hugging Face tells how large a model is
 * @param apiKey the secret with the key that manages endpoints
 * @param endpointKey the secret with the key that the router sends, if it is another one
 * @param observeInterval how long an observation is used before RunPod is asked again
 */
record RunPodSettings(
        URI apiUrl,
        URI serverlessUrl,
        URI hubUrl,
        SecretRef apiKey,
        Optional<SecretRef> endpointKey,
        Duration observeInterval) {

    static final String KEY_VARIABLE = "RUNPOD_API_KEY";

    private static final String API_URL = "api_url";
    private static final String SERVERLESS_URL = "serverless_url";
    private static final String HUB_URL = "hub_url";
    private static final String API_KEY = "api_key_secret";
    private static final String ENDPOINT_KEY = "endpoint_key_secret";
    private static final String INTERVAL = "observe_interval_seconds";

    /** Keys that a request must not set, since the cloud is opened before a request is known. */
    static final List<String> KEYS = List.of(API_URL, SERVERLESS_URL, HUB_URL, API_KEY, ENDPOINT_KEY, INTERVAL);

    /**
     * Reads the settings of an installation; keys that requests may set too are left to {@link RunPodOptions}.
     *
     * @throws ConfigurationException naming every value at fault
     */
    static RunPodSettings of(Map<String, String> settings) {
        var reader = new SettingReader(RunPodProvider.NAME, settings);
        var read = new RunPodSettings(
                reader.urlOr(API_URL, "https://api.runpod.io"),
                reader.urlOr(SERVERLESS_URL, "https://api.runpod.ai"),
                reader.urlOr(HUB_URL, ModelHub.HUGGING_FACE.toString()),
                reader.secretOr(API_KEY, "runpod/api-key"),
                reader.secret(ENDPOINT_KEY),
                reader.seconds(INTERVAL, 10, 0, 9999));
        reader.throwIfAny();
        return read;
    }
}
