package dev.tuna.provider.modal;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.Secret;
import dev.tuna.api.TunaException;
import dev.tuna.provider.support.Redaction;
import dev.tuna.spi.LogLine;
import dev.tuna.spi.ServerlessObservation;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is known of the app of one name, so that Modal is asked as little as can be: every question starts a process.
 * Thread-safe; whoever comes second waits and gets the same answer.
 */
final class TrackedApp {

    private static final Logger LOG = LoggerFactory.getLogger(TrackedApp.class);

    /** While something is about to change, Modal is asked more often. */
    private static final Duration BUSY_INTERVAL = Duration.ofSeconds(5);

    /** An app that was just published may be missing in a list for a moment. */
    private static final Duration UNLISTED = Duration.ofMinutes(1);

    /** Times in all that a deployment is tried which fails for a reason that passes. */
    private static final int ATTEMPTS = 3;

    private static final int LOG_LINES = 300;
    private static final EngineStart UNKNOWN = new EngineStart(BackendPhase.IMAGE, "its container starts");

    private final Modal modal;
    private final String name;
    private final ReentrantLock lock = new ReentrantLock();

    // All guarded by lock:
    private @Nullable Asked asked;
    private @Nullable Version version;
    private @Nullable Instant doneAt;
    private boolean absent;
    private boolean settled;
    private boolean told;
    private boolean proven;
    private Instant logReadAt = Instant.MIN;

    TrackedApp(Modal modal, String name) {
        this.modal = modal;
        this.name = name;
    }

    /** What was to be deployed, and how often that was tried. */
    private record Asked(AppPlan plan, Map<String, Secret> variables, int attempts) {}

    /** A version of an app, which does not change until another one is deployed. */
    private record Version(String appId, Optional<VersionTag> tag, URI url) {}

    // --- making and removing ---

    /** Deploys unless that has been done or is being done. */
    void begin(AppPlan plan, Map<String, Secret> variables, Runnable declare) {
        lock.lock();
        try {
            modal.deploys().alone(name, () -> {
                if (!isUnderWay(plan) && !isDeployed(plan)) {
                    declare.run();
                    start(new Asked(plan, variables, 1));
                }
                return name;
            });
        } finally {
            lock.unlock();
        }
    }

    private boolean isUnderWay(AppPlan plan) {
        Deploys.Look look = modal.deploys().look(name, redaction());
        boolean same =
                look.run().map(DeployRun::tag).filter(plan.tag().text()::equals).isPresent();
        if (look.stage() == Deploys.Stage.RUNNING && !same) {
            // Two at once, and nobody knows which of them comes last.
            modal.deploys().cancel(name);
        }
        return look.stage() == Deploys.Stage.RUNNING && same;
    }

    private boolean isDeployed(AppPlan plan) {
        List<App> found = modal.apps().named(name, Duration.ZERO);
        absent = found.isEmpty();
        if (found.isEmpty() || !found.get(0).isDeployed()) {
            return false;
        }
        boolean same =
                modal.api().newestTag(name).filter(plan.tag().text()::equals).isPresent();
        if (same) {
            modal.deploys().cancel(name); // forgets one that failed
        }
        return same;
    }

    private void start(Asked what) {
        asked = what;
        version = null;
        doneAt = null;
        settled = false;
        proven = false;
        told = told || !absent; // an older version serves
        modal.deploys().start(what.plan(), what.variables(), modal.clock().instant());
    }

    /** Stops every app of this name, those that are being made too. */
    void destroy() {
        lock.lock();
        try {
            asked = null;
            version = null;
            doneAt = null;
            settled = false;
            absent = false;
            told = false;
            proven = false;
            modal.deploys().alone(name, () -> {
                modal.deploys().cancel(name);
                modal.apps().named(name, Duration.ZERO).stream()
                        .filter(app -> !app.isStopping())
                        .forEach(app -> modal.api().stop(app.id()));
                return name;
            });
        } finally {
            modal.apps().forget();
            lock.unlock();
        }
    }

    // --- looking ---

    ServerlessObservation observe() {
        lock.lock();
        try {
            Deploys.Look look = modal.deploys().look(name, redaction());
            Instant now = modal.clock().instant();
            if (Deploys.isOverdue(look, now, modal.settings().deployTimeout())) {
                return overdue(look);
            }
            if (look.stage() == Deploys.Stage.RUNNING && absent) {
                return Observations.deploying(look.detail(redaction()));
            }
            if (look.stage() == Deploys.Stage.DONE && doneAt == null) {
                doneAt = now;
                absent = false;
                version = null;
                modal.apps().forget();
            }
            List<App> found = modal.apps().named(name, interval());
            Optional<App> deployed = found.stream().filter(App::isDeployed).findFirst();
            return deployed.isPresent() ? serving(deployed.get(), look) : notServing(found, look, now);
        } finally {
            lock.unlock();
        }
    }

    private Duration interval() {
        Duration usual = modal.settings().observeInterval();
        return settled || usual.compareTo(BUSY_INTERVAL) < 0 ? usual : BUSY_INTERVAL;
    }

    private ServerlessObservation serving(App app, Deploys.Look look) {
        Version current = version;
        if (current == null || !current.appId().equals(app.id())) {
            current = read(app, look);
            version = current;
        }
        EngineStart start = engineStart(app);
        if (start.phase() == BackendPhase.FAILED) {
            settled = true;
            return Observations.failed(start.line());
        }
        // What slept is ready, and what has been told to be ready stays so while it wakes.
        told = told || doneAt == null || app.containers() == 0 || start.phase() == BackendPhase.READY;
        settled = told && look.stage() != Deploys.Stage.RUNNING;
        return told ? ready(app, current, look) : Observations.starting(app, start);
    }

    private ServerlessObservation ready(App app, Version current, Deploys.Look look) {
        return Observations.serving(
                app.containers(),
                current.url(),
                current.tag(),
                modal.prices(),
                modal.proxyToken()::credential,
                update(look));
    }

    /**
     * How its engines fare, until one of them has served: the deployment proves only that there is an image. A model that
     * is too large, or may not be fetched, would have containers start and end for ever.
     */
    private EngineStart engineStart(App app) {
        Instant now = modal.clock().instant();
        if (proven || app.containers() == 0 || now.isBefore(logReadAt.plus(interval()))) {
            return UNKNOWN;
        }
        logReadAt = now;
        try {
            EngineStart start = EngineStart.of(modal.api().logs(name, LOG_LINES).stream()
                    .map(LogLine::text)
                    .toList());
            proven = start.phase() == BackendPhase.READY;
            return start;
        } catch (TunaException e) {
            LOG.debug("{}: no log: {}", name, e.getMessage());
            return UNKNOWN;
        }
    }

    /** What becomes of a newer version, while an older one serves. */
    private String update(Deploys.Look look) {
        return switch (look.stage()) {
            case RUNNING -> "a newer version is being deployed: " + look.detail(redaction());
            case FAILED ->
                "a newer version could not be deployed: "
                        + look.failure(redaction()).getMessage();
            case NONE, DONE, LOST -> "";
        };
    }

    private Version read(App app, Deploys.Look look) {
        Optional<String> tag = look.stage() == Deploys.Stage.DONE
                ? look.run().map(DeployRun::tag)
                : modal.api().newestTag(app.name());
        return new Version(app.id(), tag.flatMap(VersionTag::parse), url(look));
    }

    private URI url(Deploys.Look look) {
        try {
            return modal.api()
                    .webUrl(name)
                    .or(look::url)
                    .orElseThrow(() -> CliErrors.of(
                            "look up web address", 0, "app " + name + " has no web address yet", redaction()));
        } catch (TunaException e) {
            URI told = look.url().orElseThrow(() -> e);
            LOG.warn("{}: going by the address that the deployment told: {}", name, e.getMessage());
            return told;
        }
    }

    private ServerlessObservation notServing(List<App> found, Deploys.Look look, Instant now) {
        settled = false;
        if (found.stream().anyMatch(app -> !app.isInitializing() && !app.isDisabled())) {
            return Observations.ending(found.get(0));
        }
        if (found.stream().anyMatch(App::isDisabled)) {
            return Observations.failed("Modal has disabled it; see https://modal.com/settings/usage");
        }
        return switch (look.stage()) {
            case RUNNING -> Observations.deploying(look.detail(redaction()));
            case FAILED -> failed(look);
            case DONE -> published(now);
            case NONE, LOST -> elsewhere(found);
        };
    }

    private ServerlessObservation published(Instant now) {
        Instant since = doneAt;
        if (since != null && now.isBefore(since.plus(UNLISTED))) {
            return Observations.deploying("published");
        }
        return modal.gone(name);
    }

    private ServerlessObservation elsewhere(List<App> found) {
        return found.isEmpty() ? modal.gone(name) : Observations.elsewhere();
    }

    private ServerlessObservation failed(Deploys.Look look) {
        TunaException failure = look.failure(redaction());
        Asked last = asked;
        if (last != null && failure.retryable() && last.attempts() < ATTEMPTS) {
            LOG.info("{}: deploying again: {}", name, failure.getMessage());
            modal.deploys().alone(name, () -> {
                start(new Asked(last.plan(), last.variables(), last.attempts() + 1));
                return name;
            });
            return Observations.deploying("again, since " + failure.getMessage());
        }
        return Observations.failed(String.valueOf(failure.getMessage()));
    }

    private ServerlessObservation overdue(Deploys.Look look) {
        modal.deploys().cancel(name);
        String detail = "not deployed within "
                + modal.settings().deployTimeout().toMinutes() + " minutes; it said last: "
                + look.detail(redaction());
        LOG.warn("{}: {}", name, detail);
        return Observations.failed(detail);
    }

    private Redaction redaction() {
        Asked last = asked;
        return modal.redaction(last == null ? List.of() : last.variables().values());
    }
}
