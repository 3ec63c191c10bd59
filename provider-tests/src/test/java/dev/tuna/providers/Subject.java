package dev.tuna.providers;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.core.Tuna;
import dev.tuna.core.TunaBuilder;
import dev.tuna.core.config.RequestJson;
import dev.tuna.core.control.ControlTimings;
import dev.tuna.core.store.FileSecretStore;
import dev.tuna.core.store.SqliteStateStore;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessProvider;
import dev.tuna.spi.SpotProvider;
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
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * A controller in a process of its own: a real Tuna with the providers that it has settings for, told what to do by one line
 * each on standard input. Besides the answers it prints what a host may print: events, records, stack traces. It ends when
 * its input does.
 */
final class Subject {

    /** Impatient, so that many cases fit into minutes; every call is still made, only sooner. */
    private static final ControlTimings TIMINGS = ControlTimings.builder()
            .observeInterval(Duration.ofMillis(400))
            .busyInterval(Duration.ofMillis(150))
            .probeInterval(Duration.ofMillis(100))
            .drainLimit(Duration.ofSeconds(1))
            .retryBase(Duration.ofMillis(100))
            .retryMax(Duration.ofSeconds(1))
            .endRepeat(Duration.ofSeconds(1))
            .checkpointInterval(Duration.ofMillis(500))
            .build();

    private final Tuna tuna;
    private final StateStore store;
    private final Death death;

    private Subject(Tuna tuna, StateStore store, Death death) {
        this.tuna = tuna;
        this.store = store;
        this.death = death;
    }

    /** Takes the state directory, at which write it dies, and settings, each as {@code provider.key=value}. */
    public static void main(String[] arguments) throws IOException {
        Path directory = Path.of(arguments[0]);
        var death = new Death();
        death.plan(arguments[1]);
        try (var store = new MortalStateStore(SqliteStateStore.open(directory, InstantSource.system()), death)) {
            TunaBuilder builder = Tuna.builder()
                    .store(store)
                    .secrets(new MortalSecretStore(new FileSecretStore(directory), death))
                    .listen("127.0.0.1", 0)
                    .timings(TIMINGS)
                    .events(event -> System.out.println(event))
                    // Nobody but who is named: the others would be asked for orphans, and ask real vendors.
                    .classLoader(ClassLoader.getPlatformClassLoader());
            settings(arguments).forEach((name, settings) -> add(builder, name).providerSettings(name, settings));
            try (Tuna tuna = builder.start()) {
                new Subject(tuna, store, death).obey();
            }
        }
    }

    private static Map<String, Map<String, String>> settings(String[] arguments) {
        Map<String, Map<String, String>> settings = new TreeMap<>();
        for (int i = 2; i < arguments.length; i++) {
            String[] parts = arguments[i].split("[.=]", 3);
            settings.computeIfAbsent(parts[0], name -> new TreeMap<>()).put(parts[1], parts[2]);
        }
        return settings;
    }

    /** Rents machines, or takes requests. */
    private static TunaBuilder add(TunaBuilder builder, String name) {
        return found(SpotProvider.class, provider -> provider.name().equals(name))
                .map(builder::provider)
                .orElseGet(() -> builder.provider(found(
                                ServerlessProvider.class,
                                provider -> provider.name().equals(name))
                        .orElseThrow()));
    }

    private static <P> Optional<P> found(Class<P> kind, Predicate<P> wanted) {
        return ServiceLoader.load(kind).stream()
                .map(ServiceLoader.Provider::get)
                .filter(wanted)
                .findFirst();
    }

    private void obey() throws IOException {
        say(tuna.address() + " " + store.ownerId());
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] words = line.split(" ", 2);
            try {
                say(answer(words[0], words.length > 1 ? words[1] : ""));
            } catch (RuntimeException e) {
                e.printStackTrace(System.err);
                say("failed: " + e.getMessage());
            }
        }
    }

    private static void say(String line) {
        System.out.println(SubjectProcess.ANSWER + line.replace('\n', ' '));
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
            case "destroy" -> destroy(argument);
            case "phase" ->
                tuna.deployment(argument)
                        .map(each -> each.status().phase().toString())
                        .orElse("NONE");
            case "serves" ->
                Boolean.toString(tuna.deployment(argument)
                        .filter(each -> serves(each.status(), each.request().serverlessOnly() ? 1 : 2))
                        .isPresent());
            case "context" ->
                Integer.toString(
                        tuna.deployment(argument).orElseThrow().request().maxModelLen());
            case "key" ->
                tuna.deployment(argument).orElseThrow().apiKey().orElseThrow().reveal();
            case "known" -> known();
            case "orphans" -> tuna.orphans().toString();
            case "tell" -> tell();
            default -> throw new IllegalArgumentException(command);
        };
    }

    private String die(String when) {
        death.plan(when);
        return "so be it";
    }

    private static boolean serves(DeploymentStatus status, int backends) {
        return status.phase() == DeploymentPhase.ACTIVE
                && status.roll().isEmpty()
                && status.backends().size() == backends
                && status.backends().stream().allMatch(each -> each.phase() == BackendPhase.READY);
    }

    private String destroy(String name) {
        var unused = tuna.deployment(name).map(Deployment::destroy);
        return "destroying";
    }

    /** What the store accounts for, by the last part of the names that the vendor gave it; fleets have none until made. */
    private String known() {
        return store.load().resources().stream()
                .flatMap(record -> record.resource().stream())
                .filter(resource -> !resource.kind().equals("fleet"))
                .map(ResourceRef::id)
                .map(id -> id.substring(id.lastIndexOf('/') + 1))
                .sorted()
                .collect(Collectors.joining(" "));
    }

    /** Prints everything that a host can get hold of and might log. */
    private String tell() {
        System.out.println(List.of(tuna, tuna.address(), tuna.adminKey()));
        for (Deployment each : tuna.deployments()) {
            System.out.println(each + " " + each.request() + " " + each.endpoint() + " " + each.apiKey());
            System.out.println(each.status());
            System.out.println(each.cost());
            System.out.println(
                    tuna.plan(each.request().toBuilder().serviceName("other").build()));
            String provider = each.request().serverlessProviders().get(0);
            System.out.println(tuna.check(provider, Map.of()));
            failing(() -> tuna.check(provider, Map.of("marmalade", "x")));
            failing(() -> tuna.deploy(each.request()));
        }
        System.out.println(tuna.history(10));
        System.out.println(tuna.orphans());
        System.out.println(store.load());
        return "told";
    }

    private static void failing(Runnable call) {
        try {
            call.run();
        } catch (RuntimeException e) {
            e.printStackTrace(System.err);
        }
    }
}
