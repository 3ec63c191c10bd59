package dev.tuna.examples.command;

import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.DeploymentEvent.Kind;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DestroyReport;
import dev.tuna.core.Tuna;
import dev.tuna.core.TunaBuilder;
import dev.tuna.examples.command.Interrupts.Asking;
import dev.tuna.examples.terminal.BackendBoard;
import dev.tuna.examples.terminal.Display;
import dev.tuna.examples.terminal.Dollars;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Function;

/** Hosts deployments in this process and this terminal, until a person or the deployments have had enough. */
final class Hosting {

    private final HostingCommand command;
    private final Session session;
    private final Listen listen;
    private final OverallBudget overall;
    private final BlockingQueue<Turn> turns = new LinkedBlockingQueue<>();

    /** The deployment that all of this is about; nothing if it is about what there is. */
    private volatile String about = "";

    /** The answer to the question that is open; complete if none is. */
    private volatile CompletableFuture<String> question = CompletableFuture.completedFuture("");

    /** What makes the process that hosts look up. */
    private enum Turn {
        /** Ctrl-C, where a person can be asked. */
        ASKED,
        /** The process is to end. */
        TOLD,
        /** The deployment came to nothing. */
        FAILED,
        /** The deployment is no more. */
        DESTROYED
    }

    /** What a person wants when interrupting. */
    enum Wish {
        DETACH,
        DESTROY,
        STOP,
        CANCEL;

        /** As a person may shorten it; what is not understood changes nothing. */
        static Wish of(String answer) {
            String word = answer.toUpperCase(Locale.ROOT);
            for (Wish wish : values()) {
                boolean unique = word.length() >= (wish == DETACH || wish == DESTROY ? "DE.".length() : 1);
                if (unique && wish.name().startsWith(word)) {
                    return wish;
                }
            }
            return CANCEL;
        }
    }

    Hosting(HostingCommand command, Listen listen, OverallBudget overall) {
        this.command = command;
        this.session = command.session;
        this.listen = listen;
        this.overall = overall;
    }

    /** Options with which another process hosts the same; the settings of providers are handed over apart. */
    static List<String> words(TunaSubcommand command, Listen listen, OverallBudget overall) {
        var words = new ArrayList<>(words(command, listen, listen.port()));
        words.addAll(overall.words());
        return words;
    }

    private static List<String> words(TunaSubcommand command, Listen listen, int port) {
        return List.of("--state-dir=" + command.stateDirectory(), listen.word(port));
    }

    /**
     * Hosts.
     *
     * @param begin what to do first; returns the deployment that all of this is about, if it is about one
     * @return exit code
     */
    int host(Function<Tuna, Optional<Deployment>> begin) {
        TunaBuilder builder = command.builder().listen(listen.host(), listen.port());
        overall.budget().ifPresent(builder::budget);
        Outcome outcome;
        int port;
        try (Tuna tuna = builder.start()) {
            port = tuna.address().getPort();
            outcome = host(tuna, begin);
        }
        return switch (outcome.wish()) {
            case DETACH -> detach(port, outcome.exitCode());
            case DESTROY, CANCEL -> outcome.exitCode();
            case STOP -> {
                outcome.left().forEach(session.err()::println);
                yield outcome.exitCode();
            }
        };
    }

    /**
     * How hosting ended.
     *
     * @param wish what is to follow
     * @param exitCode of the command
     * @param left what to say of what goes on without this process
     */
    private record Outcome(Wish wish, int exitCode, List<String> left) {}

    private Outcome host(Tuna tuna, Function<Tuna, Optional<Deployment>> begin) {
        var unused = session.interrupted().thenRun(() -> turns.add(Turn.TOLD));
        Asking asking = session.terminal().live() ? session.interrupts().instead(this::pressed) : () -> {};
        try (Display display = command.display()) {
            tuna.events(event -> heard(event, display));
            Optional<Deployment> deployment = begin.apply(tuna);
            deployment.ifPresent(one -> {
                about = one.name();
                if (one.status().phase() == DeploymentPhase.FAILED) {
                    turns.add(Turn.FAILED);
                }
            });
            board(tuna, display);
            deployment.ifPresent(one -> command.print(Access.to(one, command.stateDirectory()), display));
            return untilEnd(tuna, deployment, display);
        } finally {
            asking.close();
        }
    }

    private void board(Tuna tuna, Display display) {
        display.board(() -> tuna.deployments().stream()
                .flatMap(
                        one -> BackendBoard.lines(one.status(), session.clock().instant(), display.terminal()).stream())
                .toList());
    }

    /** Whoever presses Ctrl-C at the question wants out: that is the answer, unless one has been typed. */
    private void pressed() {
        if (!question.complete(Wish.STOP.name())) {
            turns.add(Turn.ASKED);
        }
    }

    private void heard(DeploymentEvent event, Display display) {
        new Progress(display).on(event);
        if (event.deployment().equals(about)) {
            if (event.kind() == Kind.FAILED) {
                turns.add(Turn.FAILED);
            } else if (event.kind() == Kind.DESTROYED) {
                turns.add(Turn.DESTROYED);
            }
        }
    }

    private Outcome untilEnd(Tuna tuna, Optional<Deployment> deployment, Display display) {
        Optional<Deployment> subject = deployment;
        Optional<DeployRequest> request = deployment.map(Deployment::request);
        while (true) {
            Turn turn = take();
            Optional<Outcome> end = switch (turn) {
                case TOLD -> Optional.of(left(tuna, subject, ExitCode.DONE));
                case FAILED -> Optional.of(new Outcome(Wish.CANCEL, ExitCode.FAILED, List.of()));
                case DESTROYED -> Optional.of(new Outcome(Wish.CANCEL, ExitCode.DONE, List.of()));
                case ASKED -> asked(tuna, subject, display);
            };
            boolean ended = turn == Turn.FAILED || turn == Turn.DESTROYED;
            if (ended && subject.isPresent()) {
                request.ifPresent(command::forgetSecrets);
            }
            boolean over = ended
                    || end.filter(outcome -> outcome.wish() == Wish.DESTROY).isPresent();
            if (over && isOthers(tuna, subject)) {
                about = "";
                subject = Optional.empty();
                display.say("goes on hosting the other deployments; Ctrl-C asks what to do");
            } else if (end.isPresent()) {
                return end.get();
            }
        }
    }

    /** Whether anything but the one is hosted; once that is over it is about everything. */
    private static boolean isOthers(Tuna tuna, Optional<Deployment> subject) {
        return tuna.deployments().stream()
                .filter(one -> !isOnVm(tuna, one) && one.status().phase() != DeploymentPhase.DESTROYED)
                .anyMatch(one ->
                        subject.map(mine -> !mine.name().equals(one.name())).orElse(true));
    }

    private Turn take() {
        try {
            return turns.take();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Turn.TOLD;
        }
    }

    private Optional<Outcome> asked(Tuna tuna, Optional<Deployment> deployment, Display display) {
        display.board(List::of);
        String what = deployment.map(Deployment::name).orElse("everything");
        question = new CompletableFuture<>();
        String answer = session.ask(
                "\nDetach (host it in the background), destroy " + what
                        + ", stop hosting and leave it as it is, or cancel? [detach/destroy/stop/CANCEL] ",
                question);
        Wish wish = answer.isEmpty() && session.interrupted().isDone() ? Wish.STOP : Wish.of(answer);
        switch (wish) {
            case DETACH -> {
                return Optional.of(new Outcome(Wish.DETACH, exitCode(deployment), List.of()));
            }
            case STOP -> {
                return Optional.of(left(tuna, deployment, ExitCode.BROKEN_OFF));
            }
            case DESTROY -> {
                board(tuna, display);
                return Optional.of(destroy(tuna, deployment, display));
            }
            case CANCEL -> {
                board(tuna, display);
                display.say("goes on");
            }
        }
        return Optional.empty();
    }

    private Outcome destroy(Tuna tuna, Optional<Deployment> deployment, Display display) {
        List<Deployment> doomed = deployment.map(List::of).orElseGet(tuna::deployments);
        List<DeployRequest> requests = doomed.stream().map(Deployment::request).toList();
        List<CompletableFuture<DestroyReport>> all =
                doomed.stream().map(Deployment::destroy).toList();
        CompletableFuture<Void> gone = CompletableFuture.allOf(all.toArray(CompletableFuture<?>[]::new));
        var unused = gone.handle((nothing, failure) -> turns.add(Turn.DESTROYED));
        turns.clear();
        while (!gone.isDone()) {
            Turn turn = take();
            if (turn == Turn.TOLD || turn == Turn.ASKED) {
                return brokenOff(tuna, doomed);
            }
        }
        for (var each : all) {
            if (each.isCompletedExceptionally()) {
                return new Outcome(
                        Wish.STOP, ExitCode.FAILED, List.of("Not everything is destroyed; see 'tuna list'."));
            }
            DestroyReport report = each.join();
            display.print(List.of(report.deployment() + " is destroyed: "
                    + report.removed().size() + " resources removed, "
                    + Dollars.text(report.cost().total()) + " in all."));
        }
        requests.forEach(command::forgetSecrets);
        return new Outcome(Wish.DESTROY, ExitCode.DONE, List.of());
    }

    /** With this process those end to be hosted that nobody spoke of, too. */
    private static Outcome brokenOff(Tuna tuna, List<Deployment> doomed) {
        List<String> names = doomed.stream().map(Deployment::name).toList();
        var lines = new ArrayList<String>();
        lines.add("Broken off; whatever command comes next goes on destroying " + String.join(", ", names)
                + ", 'tuna destroy " + (names.size() == 1 ? names.get(0) : "--all") + "' waits for the end.");
        tuna.deployments().stream()
                .filter(one -> !names.contains(one.name()))
                .forEach(one -> lines.add(left(tuna, one)));
        return new Outcome(Wish.STOP, ExitCode.BROKEN_OFF, lines);
    }

    private static String left(Tuna tuna, Deployment deployment) {
        String price = Dollars.text(deployment.cost().usdPerHourNow()) + " per hour";
        return deployment.name()
                + (isOnVm(tuna, deployment)
                        ? " goes on on its router VM, at " + price + "."
                        : " is left as it is, at " + price + " and without its endpoint. 'tuna host' hosts it again,")
                + " 'tuna destroy " + deployment.name() + "' takes it down.";
    }

    /** What lives there is served without this process. */
    private static boolean isOnVm(Tuna tuna, Deployment deployment) {
        return tuna.routerVms().find(deployment.name()).isPresent();
    }

    private Outcome left(Tuna tuna, Optional<Deployment> deployment, int otherwise) {
        List<String> lines =
                tuna.deployments().stream().map(one -> left(tuna, one)).toList();
        int parts = exitCode(deployment);
        return new Outcome(Wish.STOP, parts == ExitCode.DONE ? otherwise : parts, lines);
    }

    private static int exitCode(Optional<Deployment> deployment) {
        return deployment
                .map(one -> Parts.of(one.status(), one.request()).exitCode())
                .orElse(ExitCode.DONE);
    }

    /**
     * The endpoint is away for as long as the other process needs to start, a second or two, and then where it was. The budget of
     * all is stored: it may have been changed since this process was told of one.
     */
    private int detach(int port, int exitCode) {
        var background = new Background(command.stateDirectory());
        background
                .start(words(command, listen, port), command.settings(), command.secretVariables())
                .close();
        session.err()
                .println("Hosted in the background; its log is " + background.log() + ", its process number in "
                        + background.pidFile() + ".");
        return exitCode;
    }
}
