package dev.tuna.core.parity;

import dev.tuna.api.ControlPlane;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.SecretRef;
import dev.tuna.api.TunaException;
import dev.tuna.core.Tuna;
import dev.tuna.core.control.ControlTimings;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;

/**
 * A process that controls a state directory, told what to do by one line each on standard input. It answers each with one
 * line that begins with {@code =}; whatever else it prints is what a host may print: records, events, stack traces.
 */
final class Subject {

    static final String ANSWER = "=";

    private static final ControlTimings FAST = ControlTimings.DEFAULT.toBuilder()
            .observeInterval(Duration.ofMillis(200))
            .busyInterval(Duration.ofMillis(50))
            .probeInterval(Duration.ofMillis(50))
            .retryBase(Duration.ofMillis(100))
            .retryMax(Duration.ofSeconds(1))
            .build();

    private static final Map<String, SecretRef> SECRETS = Map.of("HF_TOKEN", new SecretRef("hf-token"));

    private final Tuna tuna;

    private Subject(Tuna tuna) {
        this.tuna = tuna;
    }

    /** Takes the state directory and the cloud's URL; the first line of input is a credential among the settings. */
    public static void main(String[] arguments) throws IOException {
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Map<String, String> cloud =
                Map.of("url", arguments[1], "api_key", Objects.requireNonNull(input.readLine(), "credential"));
        try (Tuna tuna = Tuna.builder()
                .stateDirectory(Path.of(arguments[0]))
                .listen("127.0.0.1", 0)
                .timings(FAST)
                .providerSettings("local", cloud)
                .providerSettings("local-spot", cloud)
                .events(event -> System.out.println(event))
                .start()) {
            say("controls at " + tuna.address());
            new Subject(tuna).obey(input);
        } catch (TunaException e) {
            say(e.code() + " " + e.getMessage());
        }
    }

    private void obey(BufferedReader input) throws IOException {
        for (String line = input.readLine(); line != null && !line.equals("close"); line = input.readLine()) {
            try {
                say(answer(line));
            } catch (RuntimeException e) {
                e.printStackTrace(System.err);
                say("failed");
            }
        }
    }

    private static void say(String line) {
        System.out.println(ANSWER + line.replace('\n', ' '));
        System.out.flush();
    }

    private String answer(String command) {
        return switch (command) {
            case "deploy" ->
                tuna.deploy(request("chat").noScaleToZero(true).build()).name();
            case "names" ->
                tuna.deployments().stream().map(Deployment::name).toList().toString();
            case "destroy" -> tuna.destroyAll().join().toString();
            case "spot" -> tuna.status("chat").spotState().toString();
            case "rate" -> tuna.cost("chat").usdPerHourNow().toPlainString();
            case "tell" -> tell();
            default -> throw new IllegalArgumentException(command);
        };
    }

    private static DeployRequest.Builder request(String name) {
        return DeployRequest.builder("Qwen/Qwen3-0.6B", "L4").serviceName(name).secrets(SECRETS);
    }

    /** Prints everything that a host can get hold of and might log. */
    private String tell() {
        tell(tuna);
        System.out.println(tuna.address() + " " + tuna.adminKey());
        System.out.println(tuna.plan(request("other").build()));
        System.out.println(tuna.check("local", Map.of()));
        failing(() -> tuna.check("local", Map.of("token", "x")));
        failing(() -> tuna.deploy(request("chat").build()));
        failing(() -> tuna.deploy(DeployRequest.builder("m", "H1000").build()));
        failing(() -> tuna.plan(request("other")
                .secrets(Map.of("HF_TOKEN", new SecretRef("none")))
                .build()));
        failing(() -> tuna.status("none"));
        tell(Tuna.running(directory()).orElseThrow());
        return "told";
    }

    private static Path directory() {
        return Path.of(System.getProperty("subject.directory"));
    }

    private static void tell(ControlPlane plane) {
        System.out.println(plane);
        System.out.println(plane.deployments());
        for (Deployment each : plane.deployments()) {
            System.out.println(each + " " + each.request() + " " + each.endpoint() + " " + each.apiKey());
            System.out.println(each.status());
            System.out.println(each.cost());
        }
        System.out.println(plane.history(10));
        System.out.println(plane.orphans());
    }

    private static void failing(Runnable call) {
        try {
            call.run();
        } catch (RuntimeException e) {
            e.printStackTrace(System.err);
        }
    }
}
