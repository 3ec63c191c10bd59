package dev.tuna.testkit.vllm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class VllmStandInMainIT {

    private final List<Process> processes = new ArrayList<>();

    private Process run(String... arguments) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(
                List.of("-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path")));
        command.add(VllmStandInMain.class.getName());
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("VLLM_API_KEY", "from-the-environment");
        Process process = builder.start();
        processes.add(process);
        return process;
    }

    @AfterEach
    void endAll() {
        processes.forEach(Process::destroyForcibly);
    }

    private static BufferedReader output(Process process) {
        return new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    @Test
    void servesWhatItsCommandLineSaysUntilItIsTerminated() throws Exception {
        Process process = run(
                "serve",
                "org/model",
                "--port",
                "0",
                "--served-model-name",
                "a",
                "b",
                "--max_model_len=8k",
                "-tp",
                "1",
                "--gpu-memory-utilization",
                "0.9",
                "--enforce-eager",
                "--no-enable-prefix-caching",
                "--model-loader-extra-config",
                "{\"concurrency\":16}",
                "--standin-version",
                "0.29.0");
        String first = output(process)
                .lines()
                .filter(line -> line.startsWith("stand-in: "))
                .findFirst()
                .orElseThrow();
        assertThat(first).startsWith("stand-in: a at http://127.0.0.1:");
        String base = first.substring(first.indexOf("http"));
        HttpResponse<String> models = Wire.send(HttpRequest.newBuilder(URI.create(base + "/v1/models"))
                .header("Authorization", "Bearer from-the-environment")
                .build());
        assertThat(models.body()).contains("\"id\":\"b\"", "\"root\":\"org/model\"", "\"max_model_len\":8000");
        assertThat(Wire.send(HttpRequest.newBuilder(URI.create(base + "/v1/models"))
                                .build())
                        .statusCode())
                .isEqualTo(401);
        assertThat(Wire.send(HttpRequest.newBuilder(URI.create(base + "/version"))
                                .build())
                        .body())
                .contains("0.29.0");
        process.destroy();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
    }

    @Test
    void findsItsKeyOnStandardInputWhenTold() throws Exception {
        Process process = run("serve", "org/model", "--port", "0", "--standin-environment-on-stdin");
        process.getOutputStream().write("{\"VLLM_API_KEY\":\"from-the-input\"}\n".getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
        String first = output(process)
                .lines()
                .filter(line -> line.startsWith("stand-in: "))
                .findFirst()
                .orElseThrow();
        String models = first.substring(first.indexOf("http")) + "/v1/models";
        assertThat(Wire.send(HttpRequest.newBuilder(URI.create(models))
                                .header("Authorization", "Bearer from-the-input")
                                .build())
                        .statusCode())
                .isEqualTo(200);
        assertThat(Wire.send(HttpRequest.newBuilder(URI.create(models))
                                .header("Authorization", "Bearer from-the-environment")
                                .build())
                        .statusCode())
                .isEqualTo(401);
    }

    @Test
    void endsLikeVllmWhenItDoesNotKnowAnOption() throws Exception {
        Process process = run("serve", "org/model", "--port", "0", "--disable-log-requests");
        String output = output(process).lines().reduce("", (all, line) -> all + line + "\n");
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(2);
        assertThat(output).contains("vllm serve: error: unrecognized arguments: --disable-log-requests");
    }

    @Test
    void failsToBootWhenTold() throws Exception {
        Process process = run("serve", "org/model", "--standin-boot-failure", "3");
        assertThat(process.waitFor(Duration.ofSeconds(30).toSeconds(), TimeUnit.SECONDS))
                .isTrue();
        assertThat(process.exitValue()).isEqualTo(3);
    }
}
