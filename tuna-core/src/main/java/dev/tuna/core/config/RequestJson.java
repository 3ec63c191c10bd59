package dev.tuna.core.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.Budget;
import dev.tuna.api.ColdStartMode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.RouterPlacement;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SecretRef;
import dev.tuna.api.StoreException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A {@link DeployRequest} as the JSON document that a store keeps. What is written reads back equal; equal requests give
 * equal text; secrets are references. Pure.
 *
 * <p>Keys are the component names. Durations are ISO 8601 text, optional parts that are empty are left out. The number
 * under {@code format} grows when an older reader would misunderstand the document.
 */
public final class RequestJson {

    private static final int FORMAT = 1;

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            // Every Java string survives any encoding then, broken surrogate pairs included.
            .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
            .build();

    private RequestJson() {}

    /**
     * Writes a request.
     *
     * @param request the request
     * @return a JSON object on one line, ASCII only
     */
    public static String write(DeployRequest request) {
        ObjectNode json = MAPPER.createObjectNode();
        json.put("format", FORMAT);
        json.put("model", request.model());
        json.put("gpu", request.gpu());
        json.put("gpuCount", request.gpuCount());
        addAll(json.putArray("serverlessProviders"), request.serverlessProviders());
        ObjectNode options = json.putObject("providerOptions");
        new TreeMap<>(request.providerOptions())
                .forEach((provider, settings) -> new TreeMap<>(settings).forEach(options.putObject(provider)::put));
        request.serverlessRegion().ifPresent(value -> json.put("serverlessRegion", value));
        request.spotCloud().ifPresent(value -> json.put("spotCloud", value));
        addAll(json.putArray("spotRegions"), request.spotRegions());
        request.tpSize().ifPresent(value -> json.put("tpSize", value));
        json.put("maxModelLen", request.maxModelLen());
        request.quantization().ifPresent(value -> json.put("quantization", value));
        json.put("coldStartMode", request.coldStartMode().name());
        request.engineVersion().ifPresent(value -> json.put("engineVersion", value));
        addAll(json.putArray("engineArguments"), request.engineArguments());
        request.containerImage().ifPresent(value -> json.put("containerImage", value));
        write(request.scaling(), json.putObject("scaling"));
        request.serviceName().ifPresent(value -> json.put("serviceName", value));
        json.put("publicAccess", request.publicAccess());
        json.put("serverlessOnly", request.serverlessOnly());
        json.put("noScaleToZero", request.noScaleToZero());
        json.put("routerPlacement", request.routerPlacement().name());
        ObjectNode secrets = json.putObject("secrets");
        new TreeMap<>(request.secrets()).forEach((variable, ref) -> secrets.put(variable, ref.name()));
        if (!request.budget().equals(Budget.NONE)) {
            BudgetJson.write(request.budget(), json.putObject("budget"));
        }
        try {
            return MAPPER.writeValueAsString(json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of texts and numbers can always be written", e);
        }
    }

    /**
     * Reads a request.
     *
     * @param json what {@link #write} wrote
     * @param where whose document it is, for the error, for instance {@code request of deployment 'chat'}
     * @return the request
     * @throws StoreException {@code STORE_TOO_NEW} if a later version wrote it, {@code STORE_CORRUPT} if it is not what
     *     was written, naming the key at fault
     */
    public static DeployRequest read(String json, String where) {
        try {
            JsonFields fields = JsonFields.of(MAPPER.readTree(json));
            int format = fields.integer("format");
            if (format > FORMAT) {
                throw new StoreException(
                        ErrorCode.STORE_TOO_NEW,
                        where + " has format " + format + ", but this version of Tuna knows " + FORMAT
                                + " and older; run the version of Tuna that wrote it, or a later one",
                        null);
            }
            DeployRequest request = request(fields);
            fields.rejectOthers();
            return request;
        } catch (JsonProcessingException e) {
            throw corrupt(where, "it is not JSON: " + e.getOriginalMessage(), e);
        } catch (JsonFields.Mismatch | ConfigurationException e) {
            throw corrupt(where, String.valueOf(e.getMessage()), e);
        }
    }

    private static DeployRequest request(JsonFields fields) {
        return new DeployRequest(
                fields.text("model"),
                fields.text("gpu"),
                fields.integer("gpuCount"),
                fields.texts("serverlessProviders"),
                options(fields.object("providerOptions")),
                fields.textIfAny("serverlessRegion"),
                fields.textIfAny("spotCloud"),
                fields.texts("spotRegions"),
                fields.integerIfAny("tpSize"),
                fields.integer("maxModelLen"),
                fields.textIfAny("quantization"),
                fields.constant("coldStartMode", ColdStartMode.class),
                fields.textIfAny("engineVersion"),
                fields.texts("engineArguments"),
                fields.textIfAny("containerImage"),
                scaling(fields.object("scaling")),
                fields.textIfAny("serviceName"),
                fields.bool("publicAccess"),
                fields.bool("serverlessOnly"),
                fields.bool("noScaleToZero"),
                fields.constant("routerPlacement", RouterPlacement.class),
                secrets(fields.object("secrets")),
                fields.objectIfAny("budget").map(BudgetJson::read).orElse(Budget.NONE));
    }

    private static Map<String, Map<String, String>> options(JsonFields fields) {
        var options = new LinkedHashMap<String, Map<String, String>>();
        fields.names().forEach(provider -> options.put(provider, texts(fields.object(provider))));
        return options;
    }

    private static Map<String, SecretRef> secrets(JsonFields fields) {
        var secrets = new LinkedHashMap<String, SecretRef>();
        texts(fields).forEach((variable, name) -> secrets.put(variable, new SecretRef(name)));
        return secrets;
    }

    private static Map<String, String> texts(JsonFields fields) {
        var texts = new LinkedHashMap<String, String>();
        fields.names().forEach(name -> texts.put(name, fields.text(name)));
        return texts;
    }

    private static ScalingPolicy scaling(JsonFields fields) {
        JsonFields spot = fields.object("spot");
        JsonFields serverless = fields.object("serverless");
        var policy = new ScalingPolicy(
                new ScalingPolicy.Spot(
                        spot.integer("minReplicas"),
                        spot.integer("maxReplicas"),
                        spot.number("targetQps"),
                        spot.numberIfAny("targetTokensPerSecond"),
                        spot.duration("upscaleDelay"),
                        spot.duration("downscaleDelay"),
                        // Requests that were stored before there were these keys mean what held then.
                        spot.constantIfAny("keepLast", ScalingPolicy.Spot.KeepLast.class)
                                .orElse(ScalingPolicy.Spot.KeepLast.WITH_TRAFFIC),
                        spot.durationIfAny("firstTokenLimit"),
                        spot.constantIfAny("onDemand", ScalingPolicy.Spot.OnDemand.class)
                                .orElse(ScalingPolicy.Spot.OnDemand.WHEN_CHEAPER)),
                new ScalingPolicy.Serverless(
                        serverless.integer("concurrency"),
                        serverless.duration("scaledownWindow"),
                        serverless.duration("timeout"),
                        serverless.integer("workersMin"),
                        serverless.integerIfAny("workersLimit"),
                        serverless.integer("scalerValue")));
        spot.rejectOthers();
        serverless.rejectOthers();
        fields.rejectOthers();
        return policy;
    }

    private static void write(ScalingPolicy scaling, ObjectNode json) {
        ScalingPolicy.Spot spot = scaling.spot();
        ObjectNode spotJson = json.putObject("spot")
                .put("minReplicas", spot.minReplicas())
                .put("maxReplicas", spot.maxReplicas())
                .put("targetQps", spot.targetQps())
                .put("upscaleDelay", spot.upscaleDelay().toString())
                .put("downscaleDelay", spot.downscaleDelay().toString())
                .put("keepLast", spot.keepLast().name())
                .put("onDemand", spot.onDemand().name());
        spot.firstTokenLimit().ifPresent(limit -> spotJson.put("firstTokenLimit", limit.toString()));
        spot.targetTokensPerSecond().ifPresent(tokens -> spotJson.put("targetTokensPerSecond", tokens));
        ScalingPolicy.Serverless serverless = scaling.serverless();
        ObjectNode serverlessJson = json.putObject("serverless")
                .put("concurrency", serverless.concurrency())
                .put("scaledownWindow", serverless.scaledownWindow().toString())
                .put("timeout", serverless.timeout().toString())
                .put("workersMin", serverless.workersMin())
                .put("scalerValue", serverless.scalerValue());
        serverless.workersLimit().ifPresent(limit -> serverlessJson.put("workersLimit", limit));
    }

    private static void addAll(ArrayNode array, List<String> values) {
        values.forEach(array::add);
    }

    static StoreException corrupt(String where, String finding, Exception cause) {
        return new StoreException(
                ErrorCode.STORE_CORRUPT,
                where + " cannot be read: " + finding + "; it was left as it is: restore a copy of the store",
                cause);
    }
}
