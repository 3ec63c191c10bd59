package dev.tuna.examples.command;

import dev.tuna.api.Secret;
import dev.tuna.router.NamedKey;
import dev.tuna.router.RoutePolicy;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Environment variables of the router; options win over them. Immutable. */
record RouterEnvironment(Map<String, String> environment, Function<String, ? extends RuntimeException> wrong) {

    /** Variables that change nothing here, each with the reason. */
    private static final Map<String, String> WITHOUT_EFFECT = Map.of(
            "POKE_TIMEOUT_SECONDS", "replicas are asked for their health, and a request is not held up by it",
            "IDLE_TIMEOUT_SECONDS", "a replica that is up is used however long nobody has asked",
            "WARMUP_TIMEOUT_SECONDS", "a replica is looked at for as long as it is listed",
            "ROUTE_WINDOW_SIZE", "counters are kept whole, see /router/metrics",
            "ALLOW_HEALTH_NO_AUTH", "/router/health asks for no key and names no backend without one");

    List<URI> serverless() {
        return url("SERVERLESS_BASE_URL");
    }

    List<URI> spot() {
        return url("SKYSERVE_BASE_URL");
    }

    Optional<Secret> serverlessToken() {
        return set("SERVERLESS_AUTH_TOKEN").map(Secret::of);
    }

    Optional<NamedKey> apiKey() {
        set("API_KEY_HEADER")
                .filter(header -> !header.equalsIgnoreCase("x-api-key") && !header.equalsIgnoreCase("authorization"))
                .ifPresent(header -> {
                    throw wrong.apply("API_KEY_HEADER is '" + header
                            + "', but keys are taken from 'Authorization: Bearer' and 'x-api-key' only");
                });
        return set("API_KEY").map(key -> NamedKey.of("API_KEY", Secret.of(key)));
    }

    Optional<String> healthPath() {
        return set("SKYSERVE_POKE_PATH");
    }

    Optional<Duration> healthEvery() {
        return seconds("WARMUP_POKE_INTERVAL_SECONDS");
    }

    int port() {
        return set("PORT").map(port -> number("PORT", port)).orElse(8080);
    }

    /** How much of the log is shown, in the log library's words; those of Python are understood too. */
    Optional<String> logLevel() {
        return set("LOG_LEVEL").map(level -> switch (level.strip().toUpperCase(Locale.ROOT)) {
            case "TRACE" -> "trace";
            case "DEBUG" -> "debug";
            case "INFO" -> "info";
            case "WARN", "WARNING" -> "warn";
            case "ERROR", "CRITICAL", "FATAL" -> "error";
            case "OFF" -> "off";
            default ->
                throw wrong.apply(
                        "LOG_LEVEL is '" + level + "' but must be one of trace, debug, info, warning, error, off");
        });
    }

    RoutePolicy policy() {
        var policy = RoutePolicy.builder();
        seconds("UPSTREAM_TIMEOUT_SECONDS").ifPresent(policy::deadline);
        set("MAX_CONCURRENT_REQUESTS")
                .map(limit -> number("MAX_CONCURRENT_REQUESTS", limit))
                .ifPresent(policy::maxInFlight);
        try {
            return policy.build();
        } catch (IllegalArgumentException e) {
            throw wrong.apply(String.valueOf(e.getMessage()));
        }
    }

    List<String> withoutEffect() {
        var lines = new ArrayList<String>();
        WITHOUT_EFFECT.keySet().stream()
                .sorted()
                .filter(name -> set(name).isPresent())
                .forEach(name -> lines.add(name + " has no effect: " + WITHOUT_EFFECT.get(name)));
        return lines;
    }

    private List<URI> url(String name) {
        return set(name)
                .map(url -> {
                    try {
                        return List.of(URI.create(url));
                    } catch (IllegalArgumentException e) {
                        throw wrong.apply(name + " is '" + url + "', which is no URL");
                    }
                })
                .orElse(List.of());
    }

    private Optional<Duration> seconds(String name) {
        return set(name).map(text -> {
            try {
                double seconds = Double.parseDouble(text);
                if (seconds > 0 && seconds < Integer.MAX_VALUE) {
                    return Duration.ofMillis(Math.max(1, Math.round(seconds * 1000)));
                }
            } catch (NumberFormatException e) {
                throw wrong.apply(name + " is '" + text + "' but must be a number of seconds");
            }
            throw wrong.apply(name + " is '" + text + "' but must be a number of seconds above 0");
        });
    }

    private int number(String name, String text) {
        if (!text.matches("[0-9]{1,9}")) {
            throw wrong.apply(name + " is '" + text + "' but must be a whole number");
        }
        return Integer.parseInt(text);
    }

    private Optional<String> set(String name) {
        return Optional.ofNullable(environment.get(name)).filter(value -> !value.isBlank());
    }
}
