package dev.tuna.examples.terminal;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.DeploymentStatus.BackendStatus;
import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.api.GpuUse;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** A deployment as a few lines: its traffic, and a bar for each backend. Pure. */
public final class BackendBoard {

    /** From asked for to ready. */
    private static final List<BackendPhase> STEPS = List.of(
            BackendPhase.REQUESTED,
            BackendPhase.BOOTING,
            BackendPhase.IMAGE,
            BackendPhase.WEIGHTS,
            BackendPhase.ENGINE,
            BackendPhase.READY);

    private static final double MIB_PER_GIB = 1024;

    private BackendBoard() {}

    /**
     * Draws a deployment.
     *
     * @param status its state
     * @param now for how long each backend has been at it
     * @param terminal whether there are colours
     * @return a line for the whole, then one for each backend
     */
    public static List<String> lines(DeploymentStatus status, Instant now, Terminal terminal) {
        var lines = new ArrayList<String>();
        String state = status.phase() == DeploymentPhase.ACTIVE
                ? "spot " + word(status.spotState().name())
                : word(status.phase().name());
        lines.add(terminal.paint(Colour.BOLD, status.name()) + "  " + state + "  " + traffic(status.traffic()));
        int width = status.backends().stream()
                .mapToInt(backend -> backend.id().length())
                .max()
                .orElse(0);
        for (BackendStatus backend : status.backends()) {
            lines.add(line(backend, width, now, terminal));
        }
        return lines;
    }

    private static String line(BackendStatus backend, int width, Instant now, Terminal terminal) {
        BackendPhase phase = backend.phase();
        return "  " + padded(word(backend.tier().name()), 10) + " " + padded(Printable.line(backend.id()), width) + "  "
                + terminal.paint(colour(phase), bar(phase) + " " + padded(word(phase.name()), 9)) + " "
                + elapsed(Duration.between(backend.startedAt(), now)) + "  " + backend.inFlight() + " in flight"
                + backend.gpu().map(gpu -> "  " + gpu(gpu)).orElse("")
                + outlook(backend, now)
                        .map(text -> "  " + terminal.paint(Colour.YELLOW, text))
                        .orElse("")
                + terminal.paint(
                        Colour.DIM, (backend.detail().isEmpty() ? "" : "  " + Printable.line(backend.detail())));
    }

    private static String gpu(GpuUse gpu) {
        return String.format(
                Locale.ROOT,
                "GPU %d%%, %.1f of %.1f GiB",
                gpu.utilization(),
                gpu.usedMib() / MIB_PER_GIB,
                gpu.totalMib() / MIB_PER_GIB);
    }

    /** What its cloud has said of its end; a notice says more than a recommendation. */
    private static Optional<String> outlook(BackendStatus backend, Instant now) {
        return backend.interruptionAt()
                .map(at -> at.isAfter(now)
                        ? "is taken in " + elapsed(Duration.between(now, at))
                        : "was to be taken " + elapsed(Duration.between(at, now)) + " ago")
                .or(() -> backend.rebalanceAt()
                        .map(at -> "recommended to leave " + elapsed(Duration.between(at, now)) + " ago"));
    }

    /** One mark for each step done; none for a backend on its way out. */
    private static String bar(BackendPhase phase) {
        int done = STEPS.indexOf(phase) + 1;
        return "#".repeat(done) + ".".repeat(STEPS.size() - done);
    }

    private static Colour colour(BackendPhase phase) {
        return switch (phase) {
            case READY -> Colour.GREEN;
            case FAILED -> Colour.RED;
            case GONE -> Colour.DIM;
            default -> Colour.YELLOW;
        };
    }

    private static String traffic(TrafficStats traffic) {
        return traffic.requests() + " requests, " + traffic.failed() + " failed, " + traffic.inFlight() + " in flight"
                + (traffic.waiting() == 0 ? "" : ", " + traffic.waiting() + " waiting");
    }

    private static String elapsed(Duration time) {
        return String.format(Locale.ROOT, "%d:%02d", time.toMinutes(), time.toSecondsPart());
    }

    private static String word(String name) {
        return name.toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static String padded(String text, int width) {
        return text + " ".repeat(Math.max(0, width - text.length()));
    }
}
