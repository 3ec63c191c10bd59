package dev.tuna.provider.baseten;

import dev.tuna.api.BackendPhase;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.UnservedAnswer;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Puts a look at a model into the words of the interface. Pure. */
final class Observations {

    /** Long enough for a replica that is replaced, short enough for a model that can never load. */
    static final Duration BROKEN = Duration.ofMinutes(5);

    private static final Duration SOON = Duration.ofSeconds(2);
    private static final Duration LATER = Duration.ofSeconds(30);

    /** A model that has had no deployment for so long was half made. */
    private static final Duration EMPTY = Duration.ofMinutes(5);

    /**
     * What Baseten's edge says in place of a model. Its error is a text, that of vLLM, which says 404 of a model that it does not
     * know, an object.
     */
    private static final List<UnservedAnswer> UNSERVED = List.of(
            new UnservedAnswer(404, "\"error\":\"", LATER),
            new UnservedAnswer(404, "\"error\": \"", LATER),
            new UnservedAnswer(402, "error", LATER),
            new UnservedAnswer(429, "error", SOON),
            new UnservedAnswer(529, "error", SOON));

    private Observations() {}

    static ServerlessObservation of(
            Look look, BasetenSettings settings, Credential credential, InstanceCatalog catalog) {
        Optional<Deployment> newest = look.newest();
        BackendPhase phase = newest.map(deployment -> phase(look, deployment)).orElseGet(() -> whenEmpty(look));
        Optional<Deployment> serving = look.production().filter(look::serves).or(() -> newest);
        return new ServerlessObservation(
                phase,
                detail(phase, look),
                serving.map(deployment -> address(look, deployment, settings, credential)),
                newest.isPresent() ? OptionalInt.of(replicas(look)) : OptionalInt.empty(),
                Optional.empty(),
                serving.flatMap(deployment -> price(deployment, catalog)));
    }

    /** Something that takes no requests and is billed for nothing. */
    static ServerlessObservation ofHelper() {
        return new ServerlessObservation(
                BackendPhase.READY, "", Optional.empty(), OptionalInt.of(0), Optional.empty(), Optional.empty());
    }

    private static BackendPhase whenEmpty(Look look) {
        return look.age().compareTo(EMPTY) < 0 ? BackendPhase.REQUESTED : BackendPhase.FAILED;
    }

    private static BackendPhase phase(Look look, Deployment newest) {
        if (newest.isParked()) {
            return BackendPhase.DRAINING;
        }
        // What serves goes on serving while something newer is made, and when that fails.
        if (look.productionServes() || look.serves(newest)) {
            return BackendPhase.READY;
        }
        if (newest.isUnhealthy()) {
            return look.since().compareTo(BROKEN) >= 0
                    ? BackendPhase.FAILED
                    : look.served() ? BackendPhase.READY : BackendPhase.ENGINE;
        }
        if (newest.isFailed() || newest.isStopped()) {
            return BackendPhase.FAILED;
        }
        return switch (newest.status()) {
            case "BUILDING" -> BackendPhase.IMAGE;
            case "DEPLOYING" -> isOverdue(look, newest) ? BackendPhase.FAILED : BackendPhase.WEIGHTS;
            case "LOADING_MODEL", "UPDATING" -> BackendPhase.ENGINE;
            // A state that Baseten has added since; it says nothing of a failure.
            default -> look.served() ? BackendPhase.READY : BackendPhase.REQUESTED;
        };
    }

    /** Where there is no machine, Baseten says nothing for half an hour and then deactivates. */
    private static boolean isOverdue(Look look, Deployment newest) {
        return newest.replicas() == 0
                && newest.seconds(Labels.PLACEMENT)
                        .filter(limit -> look.since().compareTo(limit) >= 0)
                        .isPresent();
    }

    private static String detail(BackendPhase phase, Look look) {
        Optional<Deployment> newest = look.newest();
        if (newest.isEmpty()) {
            return phase == BackendPhase.FAILED ? "the model has no deployment; begin it again" : "";
        }
        if (phase == BackendPhase.DRAINING) {
            return "parked";
        }
        String status = newest.get().status();
        String log = look.log().isEmpty() ? "" : "; its log ends: " + look.log();
        if (newest.get().isFailed()) {
            return (phase == BackendPhase.READY
                            ? "an earlier deployment serves; the new one is "
                            : "the deployment is ")
                    + status
                    + log;
        }
        if (phase != BackendPhase.FAILED) {
            boolean works = look.serves(newest.get()) && newest.get().replicas() > 0;
            return works || !look.trouble().isEmpty() ? look.trouble() : words(status);
        }
        return switch (status) {
            case "DEPLOYING" ->
                "no machine of type " + newest.get().instanceType() + " came within "
                        + look.since().toMinutes() + " minutes";
            case "INACTIVE", "DEACTIVATING" ->
                look.served()
                        ? "somebody deactivated it"
                        : "Baseten deactivated it before it served, which it does when there is no machine" + log;
            default -> "no replica has been healthy for " + look.since().toMinutes() + " minutes" + log;
        };
    }

    private static String words(String status) {
        return switch (status) {
            case "BUILDING" -> "the image is being built";
            case "DEPLOYING" -> "waiting for a machine, the image and the weights";
            case "LOADING_MODEL" -> "the engine starts";
            case "SCALED_TO_ZERO" -> "scaled to zero";
            case "WAKING_UP" -> "waking up";
            case "UNHEALTHY" -> "no replica is healthy";
            case "UPDATING" -> "settings are being changed";
            default -> "";
        };
    }

    /** A replica that loads its model is billed, though it does not count as active. */
    private static int replicas(Look look) {
        int active = look.deployments().stream().mapToInt(Deployment::replicas).sum();
        boolean loading = look.newest()
                .filter(newest -> newest.status().equals("LOADING_MODEL"))
                .isPresent();
        return loading ? Math.max(1, active) : active;
    }

    /**
     * The environment's address survives a new push; where the environment does not point to what serves, which it has been
     * seen to do after a failure, the deployment has one of its own.
     */
    private static BackendAddress address(
            Look look, Deployment serving, BasetenSettings settings, Credential credential) {
        boolean apart = !look.productionServes() && look.serves(serving);
        String prefix = apart ? "/deployment/" + serving.id() : "/environments/" + ModelPlanner.ENVIRONMENT;
        return new BackendAddress(
                        URI.create(settings.modelUrl(look.modelId()) + prefix + "/sync"),
                        Optional.of(credential),
                        "/health",
                        Optional.of(serving.seconds(Labels.TIMEOUT)
                                .filter(timeout -> timeout.compareTo(ModelPlanner.REQUEST_LIMIT) < 0)
                                .orElse(ModelPlanner.REQUEST_LIMIT)),
                        EnvironmentSettings.capacity(serving.json()))
                .withUnserved(UNSERVED);
    }

    private static Optional<BigDecimal> price(Deployment deployment, InstanceCatalog catalog) {
        return catalog.of(deployment).flatMap(InstanceType::usdPerHour);
    }
}
