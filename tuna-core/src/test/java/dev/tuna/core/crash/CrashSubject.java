package dev.tuna.core.crash;

import dev.tuna.api.Deployment;
import dev.tuna.api.SpotState;
import dev.tuna.core.Tuna;
import dev.tuna.core.config.RequestJson;
import dev.tuna.core.control.ControlTimings;
import dev.tuna.core.store.FileSecretStore;
import dev.tuna.core.store.SqliteStateStore;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.StateStore;
import dev.tuna.testkit.crash.Death;
import dev.tuna.testkit.crash.MortalSecretStore;
import dev.tuna.testkit.crash.MortalStateStore;
import dev.tuna.testkit.crash.SubjectProcess;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A controller in a process of its own: a real Tuna on a state directory, told what to do by one line each on standard
 * input, and answering each with one line. It ends when its input does.
 */
final class CrashSubject {

    /** Impatient, so that many cases fit into minutes; every call is still made, only sooner. */
    private static final ControlTimings TIMINGS = ControlTimings.builder()
            .observeInterval(Duration.ofMillis(150))
            .busyInterval(Duration.ofMillis(75))
            .probeInterval(Duration.ofMillis(75))
            .drainLimit(Duration.ofSeconds(1))
            .retryBase(Duration.ofMillis(100))
            .retryMax(Duration.ofSeconds(1))
            .endRepeat(Duration.ofSeconds(1))
            .checkpointInterval(Duration.ofMillis(200))
            .ledgerInterval(Duration.ofMillis(500))
            .build();

    private final Tuna tuna;
    private final StateStore store;
    private final Death death;

    private CrashSubject(Tuna tuna, StateStore store, Death death) {
        this.tuna = tuna;
        this.store = store;
        this.death = death;
    }

    /** Takes the state directory, the cloud's URL, and at which write it dies. */
    public static void main(String[] arguments) throws IOException {
        Path directory = Path.of(arguments[0]);
        Map<String, String> cloud = Map.of("url", arguments[1]);
        var death = new Death();
        death.plan(arguments[2]);
        try (var store = new MortalStateStore(SqliteStateStore.open(directory, InstantSource.system()), death);
                var tuna = Tuna.builder()
                        .store(store)
                        .secrets(new MortalSecretStore(new FileSecretStore(directory), death))
                        .listen("127.0.0.1", 0)
                        .timings(TIMINGS)
                        .providerSettings("local", cloud)
                        .providerSettings("local-spot", cloud)
                        .start()) {
            new CrashSubject(tuna, store, death).obey();
        }
    }

    private void obey() throws IOException {
        say(tuna.address() + " " + store.ownerId());
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] words = line.split(" ", 2);
            say(answer(words[0], words.length > 1 ? words[1] : ""));
        }
    }

    private static void say(String line) {
        System.out.println(SubjectProcess.ANSWER + line);
        System.out.flush();
    }

    private String answer(String command, String argument) {
        return switch (command) {
            case "die" -> die(argument);
            case "writes" -> Long.toString(death.writes());
            case "deploy" ->
                tuna.deploy(RequestJson.read(argument, "standard input")).name();
            case "redeploy" ->
                tuna.redeploy(RequestJson.read(argument, "standard input")).name();
            case "context" -> Integer.toString(only().orElseThrow().request().maxModelLen());
            case "destroy" -> destroy();
            case "phase" ->
                only().map(deployment -> deployment.status().phase().toString()).orElse("NONE");
            case "spot" ->
                only().map(deployment -> deployment.status().spotState())
                        .orElse(SpotState.COLD)
                        .toString();
            case "key" -> only().orElseThrow().apiKey().orElseThrow().reveal();
            case "known" -> known();
            case "orphans" -> tuna.orphans().found().toString();
            case "tell" ->
                only().map(deployment -> deployment.status().toString()).orElse("no deployment");
            default -> throw new IllegalArgumentException(command);
        };
    }

    private String die(String when) {
        death.plan(when);
        return "so be it";
    }

    private Optional<Deployment> only() {
        return tuna.deployments().stream().findFirst();
    }

    private String destroy() {
        var unused = only().map(Deployment::destroy);
        return "destroying";
    }

    /** What the store accounts for, by the names that the cloud gave it. */
    private String known() {
        return store.load().resources().stream()
                .flatMap(record -> record.resource().stream())
                .map(ResourceRef::id)
                .sorted()
                .collect(Collectors.joining(" "));
    }
}
