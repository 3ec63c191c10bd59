package dev.tuna.provider.baseten;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.TunaException;
import dev.tuna.provider.support.Redaction;
import dev.tuna.spi.LogLine;
import dev.tuna.spi.ServerlessObservation;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is known of the model of one name, so that Baseten is asked no more often than needed; and what has to be seen to
 * after a push: that production points to what was pushed, and that it is configured. Thread-safe; whoever comes second
 * waits and gets the same answer.
 */
final class TrackedModel {

    private static final Logger LOG = LoggerFactory.getLogger(TrackedModel.class);

    /** Both take effect after a while. */
    private static final Duration BETWEEN_CORRECTIONS = Duration.ofMinutes(1);

    private static final int LOG_LINES = 20;
    private static final int SHOWN_LINES = 5;
    private static final int LOG_LENGTH = 600;

    private final BasetenApi api;
    private final String name;
    private final ReentrantLock lock = new ReentrantLock();

    // All guarded by lock:
    private @Nullable Model model;
    private @Nullable JsonNode wanted;
    private Instant configuredAt = Instant.MIN;
    private Instant promotedAt = Instant.MIN;
    private Instant pushedAt = Instant.MIN;
    private boolean served;
    private String status = "";
    private Instant statusSince = Instant.MIN;
    private String trouble = "";
    private String logOf = "";
    private String log = "";
    private @Nullable ServerlessObservation last;
    private Instant lastAt = Instant.MIN;

    TrackedModel(BasetenApi api, String name) {
        this.api = api;
        this.name = name;
    }

    /**
     * Looks, unless somebody has just done so.
     *
     * @param now the time
     * @param interval how long an observation is used
     * @param words turns a look into an observation
     */
    ServerlessObservation observe(Instant now, Duration interval, Function<Look, ServerlessObservation> words) {
        lock.lock();
        try {
            ServerlessObservation seen = last;
            if (seen == null || !now.isBefore(lastAt.plus(interval))) {
                seen = look(now).map(words).orElseGet(() -> ServerlessObservation.gone(Optional.empty()));
                last = seen;
                lastAt = now;
            }
            return seen;
        } finally {
            lock.unlock();
        }
    }

    private Optional<Look> look(Instant now) {
        Model known = model;
        Optional<List<Deployment>> deployments = known == null ? Optional.empty() : api.deployments(known.id());
        if (deployments.isEmpty() && known != null && now.isBefore(pushedAt.plus(ModelPush.HIDDEN))) {
            // Right after a push Baseten may not know of it yet.
            deployments = Optional.of(List.of());
        }
        if (deployments.isEmpty()) {
            known = api.models(name).stream().findFirst().orElse(null);
            deployments = known == null ? Optional.empty() : api.deployments(known.id());
        }
        if (known == null || deployments.isEmpty()) {
            forget();
            return Optional.empty();
        }
        model = known;
        return Optional.of(judge(known, deployments.get(), now));
    }

    private Look judge(Model current, List<Deployment> deployments, Instant now) {
        Optional<Deployment> newest = Look.newest(deployments);
        String seen =
                newest.map(deployment -> deployment.id() + deployment.status()).orElse("");
        if (!seen.equals(status)) {
            status = seen;
            statusSince = now;
        }
        served = served || deployments.stream().anyMatch(Deployment::isServing);
        Instant made = current.createdAt().isAfter(now) ? now : current.createdAt();
        Look look = new Look(
                current.id(),
                deployments,
                served,
                Duration.between(statusSince, now),
                Duration.between(made, now),
                newest.map(deployment -> logOf(current, deployment)).orElse(""),
                "");
        newest.filter(Deployment::isServing).ifPresent(deployment -> promote(look, deployment, now));
        newest.ifPresent(deployment -> configure(look, deployment, now));
        return look.troubledBy(trouble);
    }

    /** Production has been seen to point to a first deployment that failed when a second one served. */
    private void promote(Look look, Deployment newest, Instant now) {
        if (newest.isProduction() || now.isBefore(promotedAt.plus(BETWEEN_CORRECTIONS))) {
            return;
        }
        promotedAt = now;
        attempt("production cannot be pointed to deployment " + newest.id(), () -> {
            Optional<JsonNode> production = api.production(look.modelId());
            String candidate = production
                    .map(environment ->
                            environment.path("candidate_deployment").path("id").asText(""))
                    .orElse("");
            if (candidate.equals(newest.id())) {
                return "";
            }
            api.promote(look.modelId(), newest.id());
            return "production did not point to deployment " + newest.id() + " and has been told to";
        });
    }

    /** By what was asked for last; after a restart, by what was planned with the push, if nothing was ever set. */
    private void configure(Look look, Deployment newest, Instant now) {
        Deployment current = look.production().orElse(newest);
        JsonNode settings = current.json();
        if (!settings.path("autoscaling_settings").isObject() || now.isBefore(configuredAt.plus(BETWEEN_CORRECTIONS))) {
            return;
        }
        JsonNode asked = wanted;
        if (asked == null && EnvironmentSettings.isUntouched(settings)) {
            asked = EnvironmentSettings.planned(newest).orElse(null);
        }
        if (asked != null && !EnvironmentSettings.match(settings, asked)) {
            configuredAt = now;
            JsonNode target = asked;
            attempt("production cannot be configured", () -> {
                api.configure(look.modelId(), target);
                return "production was not configured as planned and has been told to be";
            });
        }
    }

    /** What goes wrong here is told, and tried again with a later look. */
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

    private String logOf(Model current, Deployment deployment) {
        if (!deployment.isFailed() && !deployment.isUnhealthy()) {
            return "";
        }
        if (!logOf.equals(deployment.id() + deployment.status())) {
            attempt("its log cannot be read", () -> {
                Redaction redaction = Redaction.of(List.of());
                log = redaction.quote(end(api.lastLog(current.id(), deployment, LOG_LINES, redaction)), LOG_LENGTH);
                logOf = deployment.id() + deployment.status();
                return "";
            });
        }
        return log;
    }

    /** The last lines tell most, so they come first and are not what is cut off. */
    private static String end(List<LogLine> newestFirst) {
        return newestFirst.stream()
                .map(LogLine::text)
                .filter(line -> !line.isBlank())
                .limit(SHOWN_LINES)
                .collect(Collectors.joining(" | "));
    }

    /**
     * Brings the model to what a plan says, and configures it if that can be done already.
     *
     * @param push makes or finds it
     * @param settings what production is to be set to
     */
    void begin(Supplier<Model> push, JsonNode settings, Instant now) {
        replace(() -> {
            Model kept = push.get();
            model = kept;
            pushedAt = now;
            wanted = settings;
            // What cannot be configured yet is configured by a later look: what was pushed must not be given up for it.
            attempt("production cannot be configured", () -> {
                Optional<JsonNode> before = api.production(kept.id());
                if (before.isEmpty() || !EnvironmentSettings.match(before.get(), settings)) {
                    configuredAt = api.configure(kept.id(), settings).isPresent() ? now : Instant.MIN;
                }
                return "";
            });
        });
    }

    /**
     * Lets the deployment that serves have no replicas. Its name says so, since Baseten deactivates by itself, too, what it
     * finds no machine for.
     */
    void park() {
        change(() -> current().ifPresent(deployment -> {
            if (!deployment.isParked()) {
                api.rename(deployment.modelId(), deployment.id(), Deployment.PARKED + deployment.id());
            }
            if (!deployment.isStopped()) {
                api.deactivate(deployment.modelId(), deployment.id());
            }
        }));
    }

    void unpark() {
        change(() -> current().filter(Deployment::isParked).ifPresent(deployment -> {
            api.activate(deployment.modelId(), deployment.id());
            api.rename(deployment.modelId(), deployment.id(), Deployment.UNPARKED + deployment.id());
        }));
    }

    /** The newest lines of the log, oldest first. */
    List<LogLine> logs(int lines, Redaction redaction) {
        List<LogLine> log = new ArrayList<>(current()
                .map(deployment -> api.lastLog(deployment.modelId(), deployment, lines, redaction))
                .orElse(List.of()));
        Collections.reverse(log);
        return log;
    }

    private Optional<Deployment> current() {
        return api.models(name).stream()
                .findFirst()
                .flatMap(found -> api.deployments(found.id()))
                .flatMap(Look::newest);
    }

    /** Runs alone what makes another model of it, or none. */
    void replace(Runnable change) {
        change(() -> {
            forget();
            change.run();
        });
    }

    /** Runs alone, and makes everybody look anew afterwards. */
    private void change(Runnable change) {
        lock.lock();
        try {
            change.run();
        } finally {
            last = null;
            lock.unlock();
        }
    }

    private void forget() {
        model = null;
        wanted = null;
        last = null;
        served = false;
        status = "";
        pushedAt = Instant.MIN;
        configuredAt = Instant.MIN;
        promotedAt = Instant.MIN;
        trouble = "";
        logOf = "";
        log = "";
    }
}
