package dev.tuna.provider.support;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.Secret;
import dev.tuna.api.TunaException;
import dev.tuna.spi.Credential;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ProviderContext;
import java.net.URI;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What Hugging Face tells about models, for checks before a deployment. A hub that cannot be reached, or does not know a
 * model, is no reason to fail: the answer is then that nothing is known. Thread-safe.
 */
public final class ModelHub {

    /** The hub itself; a token is sent to no other address. */
    public static final URI HUGGING_FACE = URI.create("https://huggingface.co");

    private static final Logger LOG = LoggerFactory.getLogger(ModelHub.class);
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final Pattern MODEL = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*");

    /** Bits of one number of each type of safetensors that has other than 16. */
    private static final Map<String, Integer> BITS = Map.ofEntries(
            Map.entry("F64", 64),
            Map.entry("I64", 64),
            Map.entry("U64", 64),
            Map.entry("F32", 32),
            Map.entry("I32", 32),
            Map.entry("U32", 32),
            Map.entry("F8_E4M3", 8),
            Map.entry("F8_E5M2", 8),
            Map.entry("F8_E8M0", 8),
            Map.entry("I8", 8),
            Map.entry("U8", 8),
            Map.entry("BOOL", 8),
            Map.entry("F4", 4));

    /** vLLM takes this share of a card, and needs some of that for more than weights. */
    private static final double USABLE = 0.9;

    private static final double GIB = 1024.0 * 1024 * 1024;

    private final JsonApi api;
    private final boolean trusted;

    /**
     * A hub.
     *
     * @param context gives the HTTP client
     * @param url where it is, by default {@link #HUGGING_FACE}
     */
    public ModelHub(ProviderContext context, URI url) {
        this.api = JsonApi.builder("hugging face", url, context)
                .timeout(PATIENCE)
                .retry(RetryPolicy.NONE)
                .build();
        this.trusted = url.equals(HUGGING_FACE);
    }

    /**
     * How large the weights of a model are as they were published.
     *
     * @param model its id, {@code owner/name}
     * @param token for models that not everybody may see
     * @return bytes; empty if it is not known
     */
    public OptionalLong weightBytes(String model, Optional<Secret> token) {
        if (!MODEL.matcher(model).matches()) {
            return OptionalLong.empty();
        }
        String[] parts = model.split("/", 2);
        JsonCall call = api.get("read model", "/api/models/{}/{}", parts[0], parts[1]);
        token.filter(any -> trusted).map(Credential::bearer).ifPresent(call::credential);
        try {
            return bytes(call.send().path("safetensors").path("parameters"));
        } catch (TunaException e) {
            LOG.debug("size of {} is not known: {}", model, e.getMessage());
            return OptionalLong.empty();
        }
    }

    private static OptionalLong bytes(JsonNode parameters) {
        long bits = 0;
        for (Map.Entry<String, JsonNode> type : parameters.properties()) {
            bits += type.getValue().asLong() * BITS.getOrDefault(type.getKey().toUpperCase(Locale.ROOT), 16);
        }
        return bits == 0 ? OptionalLong.empty() : OptionalLong.of(bits / 8);
    }

    /**
     * Whether an engine's weights are too large for its cards, as far as the hub tells how large they are.
     *
     * @param engine what is to run
     * @param gpuGib memory of all its cards together; 0 if that is not known
     * @param token for models that not everybody may see
     * @return one sentence if they are; empty if they fit or it is not known
     */
    public Optional<String> tooLarge(EngineSpec engine, int gpuGib, Optional<Secret> token) {
        OptionalLong bytes = weightBytes(engine.model(), token);
        return bytes.isEmpty() ? Optional.empty() : tooLarge(engine, bytes.getAsLong(), gpuGib);
    }

    /**
     * Whether an engine's weights are too large for its cards. Quantization while loading is not taken into account, so
     * such an engine is never said to be too large.
     *
     * @param engine what is to run
     * @param weightBytes how large its weights are
     * @param gpuGib memory of all its cards together; 0 if that is not known
     * @return one sentence if they are
     */
    public static Optional<String> tooLarge(EngineSpec engine, long weightBytes, int gpuGib) {
        double gib = weightBytes / GIB;
        if (gpuGib <= 0 || engine.quantization().isPresent() || gib <= gpuGib * USABLE) {
            return Optional.empty();
        }
        return Optional.of(String.format(
                Locale.ROOT,
                "%s has weights of %.0f GiB, and %d x %s have %d GiB, of which the engine can use about %.0f",
                engine.model(),
                Math.ceil(gib),
                engine.gpuCount(),
                engine.gpu(),
                gpuGib,
                Math.floor(gpuGib * USABLE)));
    }
}
