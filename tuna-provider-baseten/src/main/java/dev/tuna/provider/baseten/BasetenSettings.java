package dev.tuna.provider.baseten;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ProviderException;
import dev.tuna.api.SecretRef;
import dev.tuna.provider.support.ModelHub;
import dev.tuna.provider.support.SettingReader;
import dev.tuna.spi.BackendAddress;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What an installation says about Baseten. Immutable.
 *
 * @param apiUrl {@code api_url}: where models are managed, for tests
 * @param modelUrl {@code model_url}: where a model takes requests, with {@code {model_id}} in it, for tests
 * @param uploadUrl {@code upload_url}: what stands in for S3 in tests
 * @param hubUrl {@code hub_url}: where Hugging Face tells how large a model is
 * @param apiKey {@code api_key_secret}: the secret with the key that manages models; default {@code baseten/api-key}, and if
 *     there is none the environment variable {@code BASETEN_API_KEY}
 * @param endpointKey {@code endpoint_key_secret}: the secret with a narrower key that the router sends to models; default
 *     the API key
 * @param team {@code team_id}: the team that models and secrets belong to; default the key's own
 * @param observeInterval {@code observe_interval_seconds}: how long an observation is used before Baseten is asked again;
 *     default 10
 */
record BasetenSettings(
        URI apiUrl,
        String modelUrl,
        Optional<URI> uploadUrl,
        URI hubUrl,
        SecretRef apiKey,
        Optional<SecretRef> endpointKey,
        Optional<String> team,
        Duration observeInterval) {

    static final String KEY_VARIABLE = "BASETEN_API_KEY";

    private static final Pattern ID = Pattern.compile("[A-Za-z0-9_-]{1,64}");
    private static final String MODEL_ID = "{model_id}";
    private static final String API_URL = "api_url";
    private static final String MODEL_URL = "model_url";
    private static final String UPLOAD_URL = "upload_url";
    private static final String HUB_URL = "hub_url";
    private static final String API_KEY = "api_key_secret";
    private static final String ENDPOINT_KEY = "endpoint_key_secret";
    private static final String TEAM = "team_id";
    private static final String INTERVAL = "observe_interval_seconds";

    /** Keys that a request must not set, since the cloud is opened before a request is known. */
    static final List<String> KEYS =
            List.of(API_URL, MODEL_URL, UPLOAD_URL, HUB_URL, API_KEY, ENDPOINT_KEY, TEAM, INTERVAL);

    /**
     * Reads the settings of an installation; keys that requests may set too are left to {@link BasetenOptions}.
     *
     * @throws ConfigurationException naming every value at fault
     */
    static BasetenSettings of(Map<String, String> settings) {
        var reader = new SettingReader(BasetenProvider.NAME, settings);
        String model = reader.text(MODEL_URL).orElse("https://model-" + MODEL_ID + ".api.baseten.co");
        if (!model.contains(MODEL_ID) || !isUrl(model.replace(MODEL_ID, "x"))) {
            reader.add(MODEL_URL + " is not a URL with " + MODEL_ID + " in it");
        }
        var read = new BasetenSettings(
                reader.urlOr(API_URL, "https://api.baseten.co"),
                model,
                reader.url(UPLOAD_URL, "https://s3.example"),
                reader.urlOr(HUB_URL, ModelHub.HUGGING_FACE.toString()),
                reader.secretOr(API_KEY, "baseten/api-key"),
                reader.secret(ENDPOINT_KEY),
                reader.matching(TEAM, ID.pattern(), "the id of a team"),
                reader.seconds(INTERVAL, 10, 0, 9999));
        reader.throwIfAny();
        return read;
    }

    /** Where a model takes requests, without what comes behind the host, to which the key will be sent. */
    URI modelUrl(String modelId) {
        if (!ID.matcher(modelId).matches()) {
            throw ProviderException.of(BasetenProvider.NAME, "find model")
                    .message("its id is not one: '" + modelId + "'")
                    .build();
        }
        return URI.create(modelUrl.replace(MODEL_ID, modelId));
    }

    private static boolean isUrl(String value) {
        try {
            return !BackendAddress.of(URI.create(value)).url().toString().isEmpty();
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
