package dev.tuna.examples.command;

import dev.tuna.api.ControlPlane;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DestroyReport;
import dev.tuna.api.TunaException;
import dev.tuna.examples.terminal.BackendBoard;
import dev.tuna.examples.terminal.Display;
import dev.tuna.examples.terminal.Dollars;
import dev.tuna.examples.terminal.Table;
import dev.tuna.examples.terminal.Terminal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tuna destroy}: takes deployments down and waits until the clouds confirm that nothing is left. */
@Command(
        name = "destroy",
        mixinStandardHelpOptions = true,
        description = "Destroys a deployment, or all, and waits until the clouds confirm that nothing is left.")
final class DestroyCommand extends ControlCommand {

    @Mixin
    private final Name name = new Name();

    @Option(names = "--all", description = "Every deployment.")
    private boolean all;

    @Option(
            names = "--clear-cache",
            description = "First have the clouds remove what they keep between containers: weights, compiled kernels.")
    private boolean clearCache;

    @Mixin
    private final Yes yes = new Yes();

    @Mixin
    private final Absent absent = new Absent();

    DestroyCommand(Session session) {
        super(session);
    }

    @Override
    public Integer call() {
        absent.refuse(spec);
        if (name.value().isPresent() == all) {
            throw usage("destroy needs the NAME of a deployment, or --all");
        }
        return super.call();
    }

    @Override
    boolean ends() {
        return true;
    }

    @Override
    int run(ControlPlane plane) {
        List<Deployment> doomed =
                name.value().map(one -> plane.deployment(one).stream().toList()).orElseGet(plane::deployments);
        if (doomed.isEmpty()) {
            print(
                    List.of(),
                    table(List.of()),
                    List.of(name.value().map(one -> over(plane, one)).orElse("Nothing is deployed.")));
            return ExitCode.DONE;
        }
        String names = doomed.stream().map(Deployment::name).collect(Collectors.joining(", "));
        if (!yes.given() && !session.agrees("Destroy " + names + "?")) {
            session.err().println("Nothing was destroyed.");
            return ExitCode.BROKEN_OFF;
        }
        if (clearCache) {
            doomed.forEach(one -> clearCache(plane, one.name()));
        }
        return destroy(plane, doomed);
    }

    /** Fails if there never was one of this name. */
    private String over(ControlPlane plane, String name) {
        String phase = plane.status(name).phase().name().toLowerCase(Locale.ROOT);
        if (isOfThisInstallation()) {
            // Somebody else may have destroyed it, who does not have what was kept for it here.
            EnvironmentSecrets.forget(name, secretStore());
        }
        return name + " is " + phase + " already; nothing of it is left.";
    }

    /** What is kept costs little; that it could not be removed is no reason to let machines run. */
    private void clearCache(ControlPlane plane, String doomed) {
        try {
            List<String> cleared = plane.clearCache(doomed);
            note("the caches of " + doomed + " are cleared: " + String.join(", ", cleared));
        } catch (TunaException e) {
            note("the caches of " + doomed + " are not cleared: " + e.getMessage());
        }
    }

    private static Table table(List<DestroyReport> reports) {
        var table = new Table("NAME", "REMOVED", "USD");
        reports.forEach(report -> table.row(
                report.deployment(),
                String.join(" ", report.removed()),
                report.cost().total().toPlainString()));
        return table;
    }

    /** Drawn where it is known to be a terminal; elsewhere it is lines beside the result. */
    private Display display() {
        return session.terminal().live() && !isForPrograms()
                ? new Display(session.out(), session.terminal(), session.clock())
                : new Display(session.err(), Terminal.PLAIN, session.clock());
    }

    /** All at once; one that fails does not keep the others from being reported. */
    private int destroy(ControlPlane plane, List<Deployment> doomed) {
        List<DeployRequest> requests = doomed.stream().map(Deployment::request).toList();
        List<CompletableFuture<DestroyReport>> destroys;
        try (Display display = display()) {
            var told = new LastWords(doomed);
            var progress = new Progress(display);
            plane.events(event -> {
                progress.on(event);
                told.on(event);
            });
            display.board(() -> doomed.stream()
                    .flatMap(one ->
                            BackendBoard.lines(one.status(), session.clock().instant(), display.terminal()).stream())
                    .toList());
            destroys = doomed.stream().map(Deployment::destroy).toList();
            var over = destroys.stream()
                    .map(destroy -> destroy.thenCompose(told::of))
                    .toList();
            CompletableFuture.anyOf(session.interrupted(), allOver(over)).join();
        }
        var reports = new ArrayList<DestroyReport>();
        for (int i = 0; i < doomed.size(); i++) {
            Optional<DestroyReport> report = report(doomed.get(i).name(), destroys.get(i));
            report.ifPresent(reports::add);
            if (report.isPresent()) {
                forgetSecrets(requests.get(i));
            }
        }
        print(
                reports,
                table(reports),
                reports.stream()
                        .map(report -> report.deployment() + " is destroyed: "
                                + report.removed().size() + " resources removed, "
                                + Dollars.text(report.cost().total()) + " in all.")
                        .toList());
        if (session.interrupted().isDone()) {
            return ExitCode.BROKEN_OFF;
        }
        return reports.size() == doomed.size() ? ExitCode.DONE : reports.isEmpty() ? ExitCode.FAILED : ExitCode.PARTLY;
    }

    /** Completes when each has ended, well or not. */
    private static CompletableFuture<?> allOver(List<? extends CompletableFuture<?>> ends) {
        return CompletableFuture.allOf(
                ends.stream().map(end -> end.handle((result, failure) -> "")).toArray(CompletableFuture<?>[]::new));
    }

    private Optional<DestroyReport> report(String name, CompletableFuture<DestroyReport> destroy) {
        if (!destroy.isDone()) {
            session.err()
                    .println("tuna: interrupted; whatever command comes next goes on destroying " + name
                            + ", 'tuna destroy " + name + "' waits for the end");
            return Optional.empty();
        }
        try {
            return Optional.of(destroy.join());
        } catch (CompletionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            note(name + " is not destroyed: " + cause.getMessage());
            return Optional.empty();
        }
    }
}
