package dev.tuna.provider.runpod;

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
        List<String> problems = new ArrayList<>();
        URI api = url(settings, API_URL, "https://api.runpod.io", problems);
        URI serverless = url(settings, SERVERLESS_URL, "https://api.runpod.ai", problems);
        URI hub = url(settings, HUB_URL, ModelHub.HUGGING_FACE.toString(), problems);
        Optional<SecretRef> key = secret(settings, API_KEY, problems);
        Optional<SecretRef> endpointKey = secret(settings, ENDPOINT_KEY, problems);
        Duration interval = seconds(settings.getOrDefault(INTERVAL, "10"), problems);
        if (!problems.isEmpty()) {
            throw new ConfigurationException(ErrorCode.INVALID_REQUEST, "settings of provider runpod", problems);
        }
        return new RunPodSettings(
                api, serverless, hub, key.orElseGet(() -> new SecretRef("runpod/api-key")), endpointKey, interval);
    }

    private static URI url(Map<String, String> settings, String key, String otherwise, List<String> problems) {
        String value = settings.getOrDefault(key, otherwise).replaceFirst("/+$", "");
        try {
            return BackendAddress.of(URI.create(value)).url();
        } catch (IllegalArgumentException e) {
            problems.add(key + " is not a URL such as " + otherwise);
            return URI.create(otherwise);
        }
    }

    private static Optional<SecretRef> secret(Map<String, String> settings, String key, List<String> problems) {
        String name = settings.getOrDefault(key, "");
        try {
            return name.isEmpty() ? Optional.empty() : Optional.of(new SecretRef(name));
        } catch (ConfigurationException e) {
            problems.add(key + " must be the name of a secret, 1 to 128 characters of A-Z a-z 0-9 . _ / -");
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
