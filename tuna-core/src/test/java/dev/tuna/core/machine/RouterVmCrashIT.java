package dev.tuna.core.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.core.Tuna;
import dev.tuna.core.machine.HostSubject.Act;
import dev.tuna.core.machine.HostSubject.Setting;
import dev.tuna.testkit.cloud.LocalCloud;
import dev.tuna.testkit.machine.ClassPathJar;
import dev.tuna.testkit.machine.LiveFiles;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Either side of a handover is killed at any time, and the next process comes to the same end: one controller, one endpoint,
 * one replica, nothing forgotten, and nothing that was accepted lost.
 */
@EnabledOnOs(value = OS.LINUX, disabledReason = "the local cloud's router VMs need Linux")
class RouterVmCrashIT {

    private static final Duration PATIENCE = Duration.ofMinutes(3);

    @TempDir
    private Path directory;

    private final HttpClient http = HttpClient.newHttpClient();

    /** Who is killed. */
    enum Side {
        HOST,
        /** The program on the machine, which is started again there. */
        VM,
        /** All of it, for good. */
        MACHINE
    }

    @ParameterizedTest(name = "{1} killed {2} ms into {0}")
    @CsvSource({"GIVE, HOST, 2500", "TAKE_BACK, VM, 300", "DEPLOY, MACHINE, 1500"})
    void someMoments(Act act, Side side, int millis) throws Exception {
        kill(act, side, millis);
    }

    static Stream<Arguments> everyMoment() {
        int step = Integer.getInteger("tuna.crash.millis", 200);
        return Stream.of(Act.values())
                .flatMap(act -> Stream.of(Side.values())
                        .flatMap(side -> IntStream.iterate(0, at -> at <= 6000, at -> at + step)
                                .mapToObj(at -> Arguments.of(act, side, at))));
    }

    @Tag("full")
    @ParameterizedTest(name = "{1} killed {2} ms into {0}")
    @MethodSource
    void everyMoment(Act act, Side side, int millis) throws Exception {
        kill(act, side, millis);
    }

    private void kill(Act act, Side side, int millis) throws Exception {
        try (LocalCloud cloud = LocalCloud.builder()
                .bootDelay(Duration.ofMillis(300))
                .coldStart(Duration.ofMillis(200))
                .startInProcess()) {
            var setting = new Setting(
                    directory.resolve("host"),
                    cloud.uri().toString(),
                    directory.resolve("machines"),
                    ClassPathJar.make(directory.resolve("tuna.jar")),
                    freePort());
            Process host = subject(setting, act);
            var lines = new ArrayList<String>();
            try (BufferedReader said =
                    new BufferedReader(new InputStreamReader(host.getInputStream(), StandardCharsets.UTF_8))) {
                boolean fromReady = act == Act.TAKE_BACK || act == Act.DESTROY;
                read(said, lines, fromReady ? "READY" : "STARTED");
                assertThat(lines).as("the host began").contains(fromReady ? "READY" : "STARTED");
                pause(millis);
                if (side != Side.HOST) {
                    processes(side == Side.VM ? "program.pid" : ".pid").forEach(ProcessHandle::destroyForcibly);
                    read(said, lines, "DONE");
                }
                if (side == Side.VM) {
                    assertThat(lines).as("the host came to the end").contains("DONE");
                }
                host.toHandle().destroyForcibly(); // unlike that of the process, it lets what was said be read
                said.lines().forEach(lines::add);
                host.waitFor();
            }
            try (Tuna next = setting.start()) {
                settled(next, cloud, act != Act.DESTROY && lines.contains("ACCEPTED"));
            }
            assertThat(cloud.snapshot().empty()).as("the cloud is empty").isTrue();
            until(() -> processes(".pid").isEmpty(), "no machine is left");
        } finally {
            processes(".pid").forEach(ProcessHandle::destroyForcibly);
        }
    }

    private void settled(Tuna next, LocalCloud cloud, boolean mustBe) throws Exception {
        if (!mustBe) {
            next.deployment("chat").ifPresent(chat -> chat.destroy().join());
            until(() -> next.routerVms().status().isEmpty(), "the machine goes");
            return;
        }
        assertThat(next.deployment("chat")).isPresent();
        until(() -> isReady(next), "it serves");
        until(() -> answers(next.deployment("chat").orElseThrow()), "it answers");
        until(
                () -> cloud.snapshot().replicas().stream()
                                        .filter(replica -> replica.endedAt().isEmpty())
                                        .count()
                                == 1
                        && cloud.snapshot().endpoints().size() == 1,
                "one replica and one endpoint");
        until(() -> next.orphans().found().isEmpty(), "nothing is forgotten");
        assertThat(next.deployments()).hasSize(1);
        next.destroy("chat").get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        assertThat(next.status("chat").phase()).isEqualTo(DeploymentPhase.DESTROYED);
        until(() -> next.routerVms().status().isEmpty(), "the machine goes");
    }

    /** A handle on what is handed over meanwhile is of no more use. */
    private static boolean isReady(Tuna next) {
        try {
            next.deployment("chat").orElseThrow().ready().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            return true;
        } catch (ExecutionException e) {
            assertThat(e).cause().hasMessageContaining("was handed over");
            return false;
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("it does not serve", e);
        }
    }

    private boolean answers(Deployment chat) {
        try {
            HttpRequest request = HttpRequest.newBuilder(URI.create(chat.endpoint() + "/chat/completions"))
                    .timeout(Duration.ofSeconds(30))
                    .header("Content-Type", "application/json")
                    .header(
                            "Authorization",
                            "Bearer " + chat.apiKey().orElseThrow().reveal())
                    .POST(HttpRequest.BodyPublishers.ofString("{\"model\":\"" + HostSubject.MODEL
                            + "\",\"max_tokens\":2,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"))
                    .build();
            return http.send(request, BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException | ConfigurationException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private Process subject(Setting setting, Act act) throws IOException {
        return new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        HostSubject.class.getName(),
                        setting.state().toString(),
                        setting.cloud(),
                        setting.machines().toString(),
                        setting.jar().toString(),
                        String.valueOf(setting.port()),
                        act.name()))
                .redirectError(directory.resolve("host.log").toFile())
                .start();
    }

    /** Up to a word, or to the end. */
    private static void read(BufferedReader said, List<String> lines, String word) throws IOException {
        String line = said.readLine();
        while (line != null) {
            lines.add(line);
            if (line.equals(word)) {
                return;
            }
            line = said.readLine();
        }
    }

    private List<ProcessHandle> processes(String file) {
        return LiveFiles.under(directory.resolve("machines")).stream()
                .filter(path -> path.toString().endsWith(file))
                .flatMap(path -> pid(path).stream())
                .filter(ProcessHandle::isAlive)
                .toList();
    }

    private static Optional<ProcessHandle> pid(Path file) {
        try {
            return ProcessHandle.of(Long.parseLong(Files.readString(file).trim()));
        } catch (IOException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static void pause(int millis) throws InterruptedException {
        var unused = new CountDownLatch(1).await(millis, TimeUnit.MILLISECONDS);
    }

    private static void until(BooleanSupplier condition, String what) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(end);
            pause(50);
        }
    }
}
