package dev.tuna.provider.baseten;

import com.fasterxml.jackson.databind.JsonNode;
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
import org.jspecify.annotations.Nullable;

/**
 * What is known of the model of one name, so that Baseten is asked no more often than needed, and so that it is known how long
 * it has been as it is. Thread-safe; whoever comes second waits and gets the same answer.
 */
final class TrackedModel {

    private final BasetenApi api;
    private final String name;
    private final ReentrantLock lock = new ReentrantLock();

    // All guarded by lock:
    private Production production;
    private FailureLog failures;
    private @Nullable Model model;
    private Instant pushedAt = Instant.MIN;
    private boolean served;
    private String state = "";
    private Instant stateSince = Instant.MIN;
    private @Nullable ServerlessObservation last;
    private Instant lastAt = Instant.MIN;

    TrackedModel(BasetenApi api, String name) {
        this.api = api;
        this.name = name;
        this.production = new Production(api, name);
        this.failures = new FailureLog(api);
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
        Look look = judge(known, deployments.get(), now);
        production.keep(look, now);
        return Optional.of(look.troubledBy(production.trouble()));
    }

    private Look judge(Model current, List<Deployment> deployments, Instant now) {
        Optional<Deployment> newest = Look.newest(deployments);
        String seen =
                newest.map(deployment -> deployment.id() + deployment.status()).orElse("");
        if (!seen.equals(state)) {
            state = seen;
            stateSince = now;
        }
        served = served || deployments.stream().anyMatch(Deployment::isServing);
        Instant made = current.createdAt().isAfter(now) ? now : current.createdAt();
        return new Look(
                current.id(),
                deployments,
                served,
                Duration.between(stateSince, now),
                Duration.between(made, now),
                newest.map(failures::of).orElse(""),
                "");
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
            production.configure(kept.id(), settings, now);
        });
    }

    /**
     * Lets the newest deployment have no replicas. Its name says so, since Baseten deactivates by itself, too, what it finds no
     * machine for.
     */
    void park() {
        change(() -> newest().ifPresent(deployment -> {
            if (!deployment.isParked()) {
                api.rename(deployment, Deployment.PARKED + deployment.id());
            }
            if (!deployment.isStopped()) {
                api.deactivate(deployment);
            }
        }));
    }

    void unpark() {
        change(() -> newest().filter(Deployment::isParked).ifPresent(api::unpark));
    }

    /** The newest lines of the log, oldest first. */
    List<LogLine> logs(int lines, Redaction redaction) {
        List<LogLine> log = new ArrayList<>(newest().map(deployment -> api.lastLog(deployment, lines, redaction))
                .orElse(List.of()));
        Collections.reverse(log);
        return log;
    }

    private Optional<Deployment> newest() {
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
        production = new Production(api, name);
        failures = new FailureLog(api);
        model = null;
        pushedAt = Instant.MIN;
        served = false;
        state = "";
    }
}
