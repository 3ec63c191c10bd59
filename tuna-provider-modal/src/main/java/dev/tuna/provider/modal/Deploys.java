package dev.tuna.provider.modal;

import dev.tuna.api.ProviderException;
import dev.tuna.api.Secret;
import dev.tuna.api.TunaException;
import dev.tuna.provider.support.Redaction;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The deployments that this installation has under way, each a process of its own, at most one for an app. Thread-safe.
 */
final class Deploys {

    private static final String SCRIPT = "tuna_app.py";
    private static final String LOG = "deploy.log";
    private static final int TAIL = 16_384;
    private static final int LONGEST_DETAIL = 160;
    private static final Pattern URL = Pattern.compile(
            "Created web function " + AppScript.FUNCTION + " => (https?://\\S+)", Pattern.CASE_INSENSITIVE);

    private final ModalApi api;
    private final WorkDirectory directory;
    /** Those that this JVM started and has not seen the end of: only it learns how they end. */
    private final Map<String, Process> children = new ConcurrentHashMap<>();

    Deploys(ModalApi api, WorkDirectory directory) {
        this.api = api;
        this.directory = directory;
    }

    /** How far a deployment is. */
    enum Stage {
        /** None was asked for, or what was has been forgotten. */
        NONE,
        /** It runs. */
        RUNNING,
        /** It said that all went well. */
        DONE,
        /** It said that something went wrong. */
        FAILED,
        /** It is over, and nobody saw how it ended. */
        LOST
    }

    /**
     * What is known of the deployment of an app.
     *
     * @param stage how far it is
     * @param run what was noted of it; empty for {@link Stage#NONE}
     * @param log the end of what it wrote, in lines
     */
    record Look(Stage stage, Optional<DeployRun> run, List<String> log) {

        static final Look NOTHING = new Look(Stage.NONE, Optional.empty(), List.of());

        Look {
            log = List.copyOf(log);
        }

        /** What it is doing. */
        String detail(Redaction redaction) {
            return log.isEmpty() ? "" : redaction.quote(log.get(log.size() - 1), LONGEST_DETAIL);
        }

        /** Why it failed. */
        TunaException failure(Redaction redaction) {
            return CliErrors.of(
                    "deploy app",
                    run.map(DeployRun::status).orElseThrow().orElse(1),
                    CliErrors.essence(String.join("\n", complaint(log))),
                    redaction);
        }

        /** An image's log can be long; what went wrong stands at the end, in the last frame. */
        private static List<String> complaint(List<String> log) {
            for (int at = log.size() - 1; at >= 0; at--) {
                if (log.get(at).startsWith("\u256d")) {
                    return log.subList(at, log.size());
                }
            }
            return log.subList(Math.max(0, log.size() - 5), log.size());
        }

        /** The web address that it told. */
        Optional<URI> url() {
            return run.flatMap(DeployRun::url).map(URI::create);
        }
    }

    /** Runs alone among all that may deploy or remove this app from this machine. */
    <T> T alone(String app, Supplier<T> work) {
        return directory.alone(app, work);
    }

    /** Starts one; the caller makes sure that none runs. */
    void start(AppPlan plan, Map<String, Secret> variables, Instant now) {
        Path place = directory.of(plan.app());
        try {
            Path script = place.resolve(SCRIPT);
            Files.writeString(script, plan.script());
            Path log = place.resolve(LOG);
            Files.deleteIfExists(log);
            Process process = api.deploy(script, plan.tag().text(), variables, log);
            children.put(plan.app(), process);
            DeployRun.of(plan.tag().text(), process.toHandle(), now).write(place);
        } catch (IOException e) {
            throw unusable(place, e);
        }
    }

    /**
     * What is known of the deployment of an app.
     *
     * @param redaction takes out of what was written whatever must not stay there, once the deployment is over
     */
    Look look(String app, Redaction redaction) {
        Path place = directory.of(app);
        try {
            Process child = children.get(app);
            Optional<DeployRun> noted = DeployRun.read(place);
            if (noted.isEmpty()) {
                return Look.NOTHING;
            }
            DeployRun run = noted.get();
            if (child != null && child.pid() == run.pid() && !child.isAlive()) {
                run = run.ended(child.exitValue(), told(tail(place.resolve(LOG))));
                run.write(place);
                children.remove(app, child);
                redact(place.resolve(LOG), redaction);
            }
            return new Look(stage(run), Optional.of(run), tail(place.resolve(LOG)));
        } catch (IOException e) {
            throw unusable(place, e);
        }
    }

    /** The apps that are being deployed from this machine right now, which Modal may not know of yet. */
    List<String> running() {
        List<String> running = new ArrayList<>();
        for (Path place : directory.all()) {
            try {
                if (DeployRun.read(place).flatMap(DeployRun::process).isPresent()) {
                    running.add(place.getFileName().toString());
                }
            } catch (IOException e) {
                throw unusable(place, e);
            }
        }
        return running;
    }

    private static Optional<String> told(List<String> log) {
        return log.stream()
                .map(URL::matcher)
                .filter(Matcher::find)
                .map(told -> told.group(1))
                .findFirst();
    }

    private static void redact(Path log, Redaction redaction) throws IOException {
        if (Files.exists(log)) {
            byte[] written = Files.readAllBytes(log);
            Files.writeString(log, redaction.redact(new String(written, StandardCharsets.UTF_8)));
        }
    }

    private static Stage stage(DeployRun run) {
        if (run.process().isPresent()) {
            return Stage.RUNNING;
        }
        if (run.status().isEmpty()) {
            return Stage.LOST;
        }
        return run.status().getAsInt() == 0 ? Stage.DONE : Stage.FAILED;
    }

    private static List<String> tail(Path log) throws IOException {
        if (Files.notExists(log)) {
            return List.of();
        }
        try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "r")) {
            long length = file.length();
            byte[] end = new byte[(int) Math.min(TAIL, length)];
            file.seek(length - end.length);
            file.readFully(end);
            return Arrays.stream(new String(end, StandardCharsets.UTF_8).split("\\R"))
                    .filter(line -> !line.isBlank())
                    .toList();
        }
    }

    /** Ends the deployment of an app if one runs, and forgets it. */
    void cancel(String app) {
        Path place = directory.of(app);
        try {
            DeployRun.read(place).flatMap(DeployRun::process).ifPresent(Command::end);
        } catch (IOException e) {
            throw unusable(place, e);
        }
        children.remove(app);
        directory.clear(app);
    }

    /** Whether the deployment of an app has taken longer than it may. */
    static boolean isOverdue(Look look, Instant now, Duration limit) {
        return look.stage() == Stage.RUNNING
                && look.run()
                        .filter(run -> run.begun().plus(limit).isBefore(now))
                        .isPresent();
    }

    private static TunaException unusable(Path place, IOException e) {
        return ProviderException.of(ModalProvider.NAME, "use work directory")
                .message(place + " cannot be used: " + e.getMessage())
                .cause(e)
                .build();
    }
}
