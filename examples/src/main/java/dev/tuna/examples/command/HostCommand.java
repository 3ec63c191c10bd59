package dev.tuna.examples.command;

import dev.tuna.api.DeploymentEvent.Kind;
import dev.tuna.core.Tuna;
import dev.tuna.core.TunaBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tuna host}: hosts what is deployed already, after a reboot for instance. */
@Command(
        name = "host",
        mixinStandardHelpOptions = true,
        description = {
            "Hosts the endpoint and the control loop of what is deployed already, for instance after a reboot.",
            "Everything that runs is taken up again: same names, same keys."
        })
final class HostCommand extends HostingCommand {

    private static final long SECONDS_FOR_THE_FIRST = 120;

    @Mixin
    private final Listen listen = new Listen();

    @Mixin
    private final OverallBudget overall = new OverallBudget();

    @Option(
            names = {"-d", "--detach"},
            description = "In the background.")
    private boolean detach;

    @Option(names = "--until-empty", hidden = true)
    private boolean untilEmpty;

    HostCommand(Session session) {
        super(session);
    }

    @Override
    public Integer call() {
        if (detach) {
            var background = new Background(stateDirectory());
            background.start(Hosting.words(this, listen, overall)).close();
            session.err().println("Hosted in the background; its log is " + background.log() + ".");
            return ExitCode.DONE;
        }
        return untilEmpty ? untilEmpty() : new Hosting(this, listen, overall).host(tuna -> Optional.empty());
    }

    /** As the background process: says nothing but its log, and ends when nothing is left to host. */
    private int untilEmpty() {
        write();
        var empty = new CompletableFuture<Void>();
        TunaBuilder builder = builder().listen(listen.host(), listen.port()).budget(overall.budget());
        try (Tuna tuna = builder.start()) {
            tuna.events(event -> {
                boolean over = event.kind() == Kind.DESTROYED || event.kind() == Kind.FAILED;
                if (over
                        && tuna.deployments().stream()
                                .allMatch(one -> one.name().equals(event.deployment()))) {
                    empty.complete(null);
                }
            });
            await(tuna, CompletableFuture.anyOf(empty, session.interrupted()));
        }
        return ExitCode.DONE;
    }

    /** A host whose first deployment never comes, since whoever started it died, is of no use. */
    private static void await(Tuna tuna, CompletableFuture<Object> end) {
        try {
            end.get(SECONDS_FOR_THE_FIRST, TimeUnit.SECONDS);
        } catch (java.util.concurrent.TimeoutException e) {
            if (!tuna.deployments().isEmpty()) {
                end.join();
            }
        } catch (java.util.concurrent.ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void write() {
        try {
            Files.writeString(
                    new Background(stateDirectory()).pidFile(),
                    ProcessHandle.current().pid() + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException("the process number cannot be written", e);
        }
    }
}
