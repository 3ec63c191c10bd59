package dev.tuna.provider.modal;

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
import java.util.function.Supplier;

/** Puts what is known of an app into the words of the interface. Pure. */
final class Observations {

    private static final String HEALTH = "/health";

    /** What Modal's own front says in plain text; vLLM's errors are JSON. Only what is mended by time is waited for. */
    private static final List<UnservedAnswer> FRONT = List.of(
            new UnservedAnswer(404, "modal-http: invalid function call", Duration.ofSeconds(5)),
            new UnservedAnswer(404, "modal-http:", Duration.ZERO),
            new UnservedAnswer(400, "modal-http:", Duration.ZERO),
            new UnservedAnswer(401, "modal-http:", Duration.ZERO),
            new UnservedAnswer(403, "modal-http:", Duration.ZERO),
            new UnservedAnswer(429, "modal-http:", Duration.ofSeconds(1)));

    private Observations() {}

    /** A deployed app is ready, asleep or awake: Modal holds requests until a container has started. */
    static ServerlessObservation serving(
            int containers,
            URI url,
            Optional<VersionTag> tag,
            GpuTable prices,
            Supplier<Credential> proxyToken,
            String detail) {
        Optional<Credential> credential = tag.map(VersionTag::access).orElse(Access.PROXY_TOKEN) == Access.PROXY_TOKEN
                ? Optional.of(proxyToken.get())
                : Optional.empty();
        // Before the first byte Modal answers 303 every 150 s, which is no end; its timeout is.
        Optional<Duration> limit = tag.map(VersionTag::timeout);
        Optional<BigDecimal> price =
                tag.flatMap(version -> prices.usdPerHour(version.gpu(), version.gpuCount(), version.place()));
        return new ServerlessObservation(
                BackendPhase.READY,
                detail,
                Optional.of(new BackendAddress(
                                url,
                                credential,
                                HEALTH,
                                limit,
                                tag.map(VersionTag::inFlight).orElse(0))
                        .withUnserved(FRONT)),
                OptionalInt.of(containers),
                Optional.empty(),
                price);
    }

    /** Its image is being built, which takes most of the time, and its function made. */
    static ServerlessObservation deploying(String detail) {
        return unreachable(BackendPhase.IMAGE, detail, OptionalInt.of(0));
    }

    /** A container that is always on starts for the first time. */
    static ServerlessObservation starting(App app, EngineStart start) {
        return unreachable(start.phase(), start.line(), OptionalInt.of(app.containers()));
    }

    static ServerlessObservation elsewhere() {
        return unreachable(BackendPhase.REQUESTED, "being deployed from elsewhere", OptionalInt.empty());
    }

    static ServerlessObservation ending(App app) {
        return unreachable(BackendPhase.DRAINING, "Modal says: " + app.state(), OptionalInt.of(app.containers()));
    }

    /** A volume that is left over serves nobody. */
    static ServerlessObservation volume(boolean exists) {
        return exists
                ? unreachable(BackendPhase.DRAINING, "a volume", OptionalInt.of(0))
                : ServerlessObservation.gone(Optional.empty());
    }

    static ServerlessObservation failed(String why) {
        return unreachable(BackendPhase.FAILED, why, OptionalInt.empty());
    }

    private static ServerlessObservation unreachable(BackendPhase phase, String detail, OptionalInt containers) {
        return new ServerlessObservation(
                phase, detail, Optional.empty(), containers, Optional.empty(), Optional.empty());
    }
}
