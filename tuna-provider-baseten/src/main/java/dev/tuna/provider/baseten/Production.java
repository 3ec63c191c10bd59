package dev.tuna.provider.baseten;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.TunaException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees to environment {@code production} of one model: that it points to what was pushed, and that it is configured. What
 * cannot be put right is told, and tried again. Confined to the lock of its {@link TrackedModel}.
 */
final class Production {

    private static final Logger LOG = LoggerFactory.getLogger(Production.class);

    /** Both take effect after a while. */
    private static final Duration BETWEEN_CORRECTIONS = Duration.ofMinutes(1);

    private final BasetenApi api;
    private final String name;
    private @Nullable JsonNode wanted;
    private Instant configuredAt = Instant.MIN;
    private Instant promotedAt = Instant.MIN;
    private String trouble = "";

    Production(BasetenApi api, String name) {
        this.api = api;
        this.name = name;
    }

    /** What could not be put right; empty if nothing. */
    String trouble() {
        return trouble;
    }

    /**
     * Configures it right after a push, if that can be done already: what was pushed must not be given up for its settings.
     *
     * @param settings what it is to be set to from now on
     */
    void configure(String modelId, JsonNode settings, Instant now) {
        wanted = settings;
        attempt("production cannot be configured", () -> {
            Optional<JsonNode> before = api.production(modelId);
            if (before.isEmpty() || !EnvironmentSettings.match(before.get(), settings)) {
                configuredAt = api.configure(modelId, settings).isPresent() ? now : Instant.MIN;
            }
            return "";
        });
    }

    /** Corrects what a look shows to be wrong. */
    void keep(Look look, Instant now) {
        Optional<Deployment> newest = look.newest();
        newest.filter(Deployment::isServing)
                .filter(deployment -> !deployment.isProduction())
                .ifPresent(deployment -> promote(look.modelId(), deployment, now));
        newest.ifPresent(deployment -> correct(look, deployment, now));
    }

    /** It has been seen to point to a first deployment that failed when a second one served. */
    private void promote(String modelId, Deployment newest, Instant now) {
        if (now.isBefore(promotedAt.plus(BETWEEN_CORRECTIONS))) {
            return;
        }
        promotedAt = now;
        attempt("production cannot be pointed to deployment " + newest.id(), () -> {
            boolean underWay = api.production(modelId)
                    .map(environment ->
                            environment.path("candidate_deployment").path("id").asText(""))
                    .filter(newest.id()::equals)
                    .isPresent();
            if (underWay) {
                return "";
            }
            api.promote(modelId, newest.id());
            return "production did not point to deployment " + newest.id() + " and has been told to";
        });
    }

    /** To what was asked for last; after a restart, to what was planned with the push, if nothing was ever set. */
    private void correct(Look look, Deployment newest, Instant now) {
        JsonNode settings = look.production().orElse(newest).json();
        if (!EnvironmentSettings.isThere(settings) || now.isBefore(configuredAt.plus(BETWEEN_CORRECTIONS))) {
            return;
        }
        Optional<JsonNode> asked = Optional.ofNullable(wanted)
                .or(() -> Optional.of(newest)
                        .filter(deployment -> EnvironmentSettings.isUntouched(settings))
                        .flatMap(EnvironmentSettings::planned)
                        .map(EnvironmentSettings::json));
        asked.filter(target -> !EnvironmentSettings.match(settings, target)).ifPresent(target -> {
            configuredAt = now;
            attempt("production cannot be configured", () -> {
                api.configure(look.modelId(), target);
                return "production was not configured as planned and has been told to be";
            });
        });
    }

    private void attempt(String otherwise, Supplier<String> correction) {
        try {
            String done = correction.get();
            trouble = "";
            if (!done.isEmpty()) {
                LOG.info("{}: {}", name, done);
            }
        } catch (TunaException e) {
            trouble = otherwise + ": " + e.getMessage();
            LOG.warn("{}: {}", name, trouble);
        }
    }
}
