package dev.tuna.core.machine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * What the program on a router's machine has to know. No secrets. Immutable.
 *
 * @param name the machine's name
 * @param provider who bills it
 * @param ownerId the installation that it belongs to
 * @param port where clients connect
 * @param orphanTimeout how long replicas wait for a controller
 * @param usdPerHour what the machine costs; empty if unknown
 * @param since when it was asked for
 * @param settings the installation's settings by provider
 */
public record RouterVmConfig(
        String name,
        String provider,
        String ownerId,
        int port,
        Duration orphanTimeout,
        Optional<BigDecimal> usdPerHour,
        Instant since,
        Map<String, Map<String, String>> settings) {

    /** The variable that it is in. */
    public static final String VARIABLE = "TUNA_ROUTER_CONFIG";

    private static final JsonMapper MAPPER = new JsonMapper();

    /** Copies the map. */
    public RouterVmConfig {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(provider, "provider");
        Objects.requireNonNull(ownerId, "ownerId");
        Objects.requireNonNull(orphanTimeout, "orphanTimeout");
        Objects.requireNonNull(usdPerHour, "usdPerHour");
        Objects.requireNonNull(since, "since");
        settings = Map.copyOf(settings);
    }

    /**
     * As it is handed over.
     *
     * @return on one line
     */
    public String toJson() {
        ObjectNode json = MAPPER.createObjectNode();
        json.put("name", name);
        json.put("provider", provider);
        json.put("ownerId", ownerId);
        json.put("port", port);
        json.put("orphanTimeout", orphanTimeout.toString());
        usdPerHour.ifPresent(price -> json.put("usdPerHour", price.toPlainString()));
        json.put("since", since.toString());
        ObjectNode all = json.putObject("settings");
        settings.forEach((provider, values) -> values.forEach(all.putObject(provider)::put));
        return json.toString();
    }

    /**
     * Reads it.
     *
     * @param text from {@link #toJson}
     * @return the same
     * @throws ConfigurationException if it cannot be read
     */
    public static RouterVmConfig of(String text) {
        try {
            JsonNode json = MAPPER.readTree(text);
            var settings = new LinkedHashMap<String, Map<String, String>>();
            json.path("settings").properties().forEach(provider -> {
                var values = new LinkedHashMap<String, String>();
                provider.getValue()
                        .properties()
                        .forEach(value ->
                                values.put(value.getKey(), value.getValue().asText()));
                settings.put(provider.getKey(), values);
            });
            return new RouterVmConfig(
                    json.required("name").asText(),
                    json.required("provider").asText(),
                    json.required("ownerId").asText(),
                    json.required("port").asInt(),
                    Duration.parse(json.required("orphanTimeout").asText()),
                    Optional.ofNullable(json.path("usdPerHour").textValue()).map(BigDecimal::new),
                    Instant.parse(json.required("since").asText()),
                    settings);
        } catch (IOException | RuntimeException e) {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    VARIABLE + " cannot be read: " + e.getMessage() + "; it is written by the host, so use the"
                            + " same version of Tuna there",
                    e);
        }
    }
}
