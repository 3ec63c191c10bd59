package dev.tuna.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.Secret;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class RouterMainIT {

    private final VllmStandIn backend = VllmStandIn.start();
    private final List<Process> processes = new ArrayList<>();

    @AfterEach
    void end() {
        processes.forEach(Process::destroyForcibly);
        backend.close();
    }

    @Test
    void theOpenAiClientGetsItsAnswersThroughTheRouterAndSigtermEndsIt() throws Exception {
        Router router = start(Map.of(), "--serverless", backend.uri().toString(), "--io-threads", "1");
        try (Chat chat = new Chat(router.endpoint(), Optional.empty(), backend.model())) {
            assertThat(chat.ask("Hello", 8)).isNotBlank().isEqualTo(chat.stream("Hello", 8));
        }
        assertThat(backend.requests("/v1/chat/completions")).hasSize(2);

        router.process().toHandle().destroy();
        assertThat(router.process().waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(router.process().descendants()).isEmpty();
        assertThatThrownBy(() -> new Socket(
                        InetAddress.getLoopbackAddress(), router.endpoint().getPort()))
                .isInstanceOf(ConnectException.class);
        assertThat(router.restOfOutput()).as("not a line for each request").isEmpty();
    }

    @Test
    @DisplayName("E-11 LOG_LEVEL says how much of the log is shown")
    void theLogLevelComesFromTheEnvironment() throws Exception {
        for (String level : List.of("INFO", "error")) {
            Router router = start(
                    Map.of("LOG_LEVEL", level), "--serverless", backend.uri().toString());
            try (Chat chat = new Chat(router.endpoint(), Optional.empty(), backend.model())) {
                assertThat(chat.ask("Hello", 4)).isNotBlank();
            }
            router.process().toHandle().destroy();
            assertThat(router.process().waitFor(60, TimeUnit.SECONDS)).isTrue();
            String log = new String(router.process().getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(log.contains("path=/v1/chat/completions"))
                    .as(level + ": " + log)
                    .isEqualTo(level.equals("INFO"));
        }
    }

    @Test
    void aKeyFromTheEnvironmentIsAskedForAndGoesNoFurther() throws Exception {
        Router router = start(
                Map.of("ROUTER_KEY", "sk-traffic"),
                "--serverless",
                backend.uri().toString(),
                "--api-key-env",
                "ROUTER_KEY");
        try (Chat stranger = new Chat(router.endpoint(), Optional.of(Secret.of("sk-other")), backend.model());
                Chat friend = new Chat(router.endpoint(), Optional.of(Secret.of("sk-traffic")), backend.model())) {
            assertThatThrownBy(() -> stranger.ask("Hello", 4)).hasMessageContaining("401");
            assertThat(friend.ask("Hello", 4)).isNotBlank();
        }
        assertThat(backend.requests("/v1/chat/completions"))
                .singleElement()
                .satisfies(
                        request -> assertThat(request.header("authorization")).isEmpty());
    }

    @Test
    void backendsCanBeAddedLaterByWhoeverHasTheAdminKey() throws Exception {
        Router router = start(Map.of("ADMIN_KEY", "sk-admin"), "--admin-key-env", "ADMIN_KEY");
        HttpRequest config = HttpRequest.newBuilder(router.endpoint().resolve("/router/config"))
                .header("Authorization", "Bearer sk-admin")
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString("{\"serverless_url\":\"" + backend.uri() + "\"}"))
                .build();
        var answer = HttpClient.newHttpClient().send(config, BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        try (Chat chat = new Chat(router.endpoint(), Optional.empty(), backend.model())) {
            assertThat(chat.ask("Hello", 4)).isNotBlank();
        }
    }

    @Test
    void aWrongCommandLineEndsWithTwoAndNamesWhatIsWrong() {
        assertFails(2, "no backend");
        assertFails(2, "'nowhere' is no listen address", "--listen", "nowhere");
        assertFails(2, "NO_SUCH_VARIABLE", "--serverless", "http://127.0.0.1:1", "--api-key-env", "NO_SUCH_VARIABLE");
        assertFails(2, "ioThreads is '0'", "--serverless", "http://127.0.0.1:1", "--io-threads", "0");
        assertFails(2, "--serverles", "--serverles", "http://127.0.0.1:1");
    }

    @Test
    void aPortInUseIsNamed() {
        assertFails(
                1,
                String.valueOf(backend.port()),
                "--serverless",
                backend.uri().toString(),
                "--listen",
                "127.0.0.1:" + backend.port());
    }

    private static void assertFails(int exitCode, String message, String... arguments) {
        var errors = new StringWriter();
        int code = RouterMain.commandLine(Map.of(), new CompletableFuture<>())
                .setErr(new PrintWriter(errors))
                .execute(arguments);
        assertThat(code).as(errors.toString()).isEqualTo(exitCode);
        assertThat(errors.toString()).contains(message).doesNotContain("\tat ");
    }

    private Router start(Map<String, String> environment, String... arguments) throws IOException {
        var all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--listen", "127.0.0.1:0"));
        Process process = launch(environment, all.toArray(String[]::new));
        var output = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        String line = output.readLine();
        assertThat(line).startsWith("router: http://127.0.0.1:");
        return new Router(process, URI.create(line.substring("router: ".length()) + "/v1"), output);
    }

    private Process launch(Map<String, String> environment, String... arguments) throws IOException {
        var words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                RouterMain.class.getName()));
        words.addAll(List.of(arguments));
        var builder = new ProcessBuilder(words);
        builder.environment().putAll(environment);
        Process process = builder.start();
        processes.add(process);
        return process;
    }

    private record Router(Process process, URI endpoint, BufferedReader output) {

        String restOfOutput() throws IOException {
            return output.lines().reduce("", String::concat);
        }
    }
}
