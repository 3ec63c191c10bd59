package dev.tuna.examples.command;

import dev.tuna.api.ControlPlane;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import dev.tuna.core.Tuna;
import dev.tuna.core.TunaBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
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

    private static final long MILLIS_FOR_THE_FIRST = 120_000;
    private static final long LOOK_MILLIS = 500;
    private static final int ATTEMPTS = 100;
    private static final long ATTEMPT_MILLIS = 100;

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
            Optional<ControlPlane> other = Tuna.running(stateDirectory());
            if (other.isPresent()) {
                other.get().close();
                note("another process hosts " + stateDirectory()
                        + " already: 'tuna status' acts through it; end it first");
                return ExitCode.FAILED;
            }
            var unused = overall.budget();
            var background = new Background(stateDirectory());
            background
                    .start(Hosting.words(this, listen, overall), settings(), secretVariables())
                    .close();
            session.err().println("Hosted in the background; its log is " + background.log() + ".");
            return ExitCode.DONE;
        }
        return untilEmpty ? untilEmpty() : new Hosting(this, listen, overall).host(tuna -> Optional.empty());
    }

    /** As the background process: says nothing but its log, and ends when nothing is left to host. */
    private int untilEmpty() {
        TunaBuilder builder = builder().listen(listen.host(), listen.port());
        overall.budget().ifPresent(builder::budget);
        handed().forEach(builder::providerSettings);
        var background = new Background(stateDirectory());
        try (Tuna tuna = startPatiently(builder)) {
            background.enter();
            try {
                awaitEmpty(tuna);
            } finally {
                background.leave();
            }
        }
        return ExitCode.DONE;
    }

    /** Whoever starts it hands over the settings on standard input. */
    private Map<String, Map<String, String>> handed() {
        try {
            return HandedSettings.read(session.answers());
        } catch (IOException e) {
            throw new UncheckedIOException("the settings cannot be read", e);
        }
    }

    /** A command that only looks controls the store for a moment too. */
    private Tuna startPatiently(TunaBuilder builder) {
        for (int attempt = 1; ; attempt++) {
            try {
                return builder.start();
            } catch (StoreException e) {
                if (e.code() != ErrorCode.STORE_LOCKED
                        || attempt == ATTEMPTS
                        || session.isEndedWithin(Duration.ofMillis(ATTEMPT_MILLIS))) {
                    throw e;
                }
            }
        }
    }

    /** A host whose first deployment never comes, since whoever started it died, is of no use either. */
    private void awaitEmpty(Tuna tuna) {
        boolean used = false;
        for (long waited = 0; !session.isEndedWithin(Duration.ofMillis(LOOK_MILLIS)); waited += LOOK_MILLIS) {
            boolean empty = tuna.deployments().stream()
                    .map(one -> one.status().phase())
                    .allMatch(phase -> phase == DeploymentPhase.DESTROYED || phase == DeploymentPhase.FAILED);
            used |= !tuna.deployments().isEmpty();
            if (empty && (used || waited >= MILLIS_FOR_THE_FIRST)) {
                return;
            }
        }
    }
}
