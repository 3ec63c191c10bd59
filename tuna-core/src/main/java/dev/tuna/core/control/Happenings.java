package dev.tuna.core.control;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.DeploymentEvent.Kind;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.core.budget.Restraint;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Tells what happened between two states of a deployment. Confined to one comparison; pure. */
final class Happenings {

    private final Managed before;
    private final Managed after;
    private final Instant now;
    private final List<DeploymentEvent> events = new ArrayList<>();

    private Happenings(Managed before, Managed after, Instant now) {
        this.before = before;
        this.after = after;
        this.now = now;
    }

    @SuppressWarnings("ReferenceEquality") // a shortcut: values that were not touched are the same object
    static List<DeploymentEvent> between(Managed before, Managed after, Instant now) {
        if (before == after) {
            return List.of();
        }
        return new Happenings(before, after, now).tell();
    }

    private List<DeploymentEvent> tell() {
        if (before.goal() == Goal.SERVE && after.goal() != Goal.SERVE) {
            sayOfWhole(Kind.DESTROYING, after.goal() == Goal.FAIL ? "tearing down, since it failed" : "tearing down");
        }
        if (before.fleet().scaling().target() != after.fleet().scaling().target()) {
            sayOfWhole(
                    Kind.SCALED,
                    "replicas wanted: " + before.fleet().scaling().target() + " -> "
                            + after.fleet().scaling().target());
        }
        after.backends().values().forEach(this::tellOf);
        if (before.spotState() != after.spotState()) {
            sayOfWhole(
                    Kind.SPOT_STATE,
                    "spot is " + words(after.spotState()) + " (was " + words(before.spotState()) + ")");
        }
        if (!before.served() && after.served()) {
            sayOfWhole(Kind.READY, "serves");
        }
        tellOfBudget();
        after.problems().forEach((topic, sentence) -> {
            if (!topic.equals(Restraint.TOPIC)
                    && !sentence.equals(before.problems().get(topic))) {
                say(Kind.WARNING, prefix() + sentence);
            }
        });
        if (before.phase() != after.phase()) {
            if (after.phase() == DeploymentPhase.DESTROYED) {
                sayOfWhole(Kind.DESTROYED, "nothing is left");
            } else if (after.phase() == DeploymentPhase.FAILED) {
                sayOfWhole(Kind.FAILED, after.reason());
            }
        }
        return events;
    }

    private void tellOfBudget() {
        String reason = after.restraint().reason();
        if (!before.restraint().reason().equals(reason)) {
            sayOfWhole(Kind.BUDGET, reason.isEmpty() ? "no budget is hit any more" : reason);
        }
    }

    /** Its cloud may have taken it before anybody heard of that. */
    private String taken(Instant at) {
        return at.isAfter(now) ? " will be taken by its cloud at " + at : " is taken by its cloud";
    }

    @SuppressWarnings("ReferenceEquality") // as above
    private void tellOf(Backend backend) {
        Backend old = before.backends().get(backend.id());
        if (old == backend) {
            return;
        }
        if (old == null) {
            say(
                    Kind.BACKEND_REQUESTED,
                    backend,
                    words(backend.tier()) + " " + backend.id() + " asked of " + backend.provider());
            return;
        }
        if (old.interruptionAt().isEmpty() && backend.interruptionAt().isPresent()) {
            say(
                    Kind.INTERRUPTION_NOTICE,
                    backend,
                    backend.id() + taken(backend.interruptionAt().get()));
        }
        if (old.rebalanceAt().isEmpty() && backend.rebalanceAt().isPresent()) {
            say(
                    Kind.REBALANCE_RECOMMENDATION,
                    backend,
                    backend.id() + " may be taken soon: its cloud recommends to leave it");
        }
        if (!old.isDraining() && backend.isDraining() && !backend.isGone()) {
            say(Kind.BACKEND_DRAINING, backend, backend.id() + " gets no new requests: " + backend.detail());
        }
        if (!old.failed() && backend.failed()) {
            say(Kind.BACKEND_FAILED, backend, backend.id() + " failed: " + backend.detail());
        }
        if (!old.isGone() && backend.isGone()) {
            say(Kind.BACKEND_GONE, backend, backend.id() + " is gone");
        } else if (!old.isReady() && backend.isReady()) {
            say(Kind.BACKEND_READY, backend, backend.id() + " serves");
        } else if (old.phase() != backend.phase() && backend.phase() != BackendPhase.GONE) {
            String detail = backend.detail().isEmpty() ? "" : ", " + backend.detail();
            say(Kind.BACKEND_PROGRESS, backend, backend.id() + ": " + words(backend.phase()) + detail);
        }
    }

    /** What happens to another revision than the one that serves does not happen to the deployment. */
    private void sayOfWhole(Kind kind, String message) {
        if (after.revision().isCurrent()) {
            say(kind, message);
        }
    }

    private String prefix() {
        return after.revision().isCurrent()
                ? ""
                : "revision " + after.revision().number() + ": ";
    }

    private void say(Kind kind, String message) {
        events.add(new DeploymentEvent(now, after.name(), kind, Optional.empty(), message));
    }

    private void say(Kind kind, Backend backend, String message) {
        events.add(new DeploymentEvent(now, after.name(), kind, Optional.of(backend.id()), message));
    }

    private static String words(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
