package dev.tuna.examples.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tuna.examples.command.Commands.Result;
import dev.tuna.examples.command.Commands.Running;
import dev.tuna.testkit.cloud.LocalCloud;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** People at terminals, machines that are killed, and programs that read what the command prints. */
class TerminalsIT {

    private static final String[] DEPLOY =
            "deploy --model Qwen/Qwen3-0.6B --gpu L4 --serverless-provider local --spots-cloud local-spot --listen 127.0.0.1:0"
                    .split(" ");

    @TempDir
    private Path directory;

    @SuppressWarnings("NullAway.Init")
    private LocalCloud cloud;

    @SuppressWarnings("NullAway.Init")
    private Commands tuna;

    @BeforeEach
    void start() {
        cloud = LocalCloud.builder()
                .coldStart(Duration.ofMillis(300))
                .bootDelay(Duration.ofSeconds(1))
                .startInProcess();
        tuna = new Commands(directory.resolve("state"), cloud);
    }

    @AfterEach
    void stop() throws IOException {
        tuna.close();
        cloud.close();
    }

    private static String[] deploy(String... more) {
        var words = new java.util.ArrayList<>(java.util.List.of(DEPLOY));
        words.addAll(java.util.List.of(more));
        return words.toArray(String[]::new);
    }

    private JsonNode json(String... arguments) throws Exception {
        var words = new java.util.ArrayList<>(java.util.List.of(arguments));
        words.addAll(java.util.List.of("-o", "json"));
        Result result = tuna.run(words.toArray(String[]::new));
        assertThat(result.exitCode()).as(result.err()).isZero();
        return new JsonMapper().readTree(result.out());
    }

    @Test
    @DisplayName(
            "C-02 O-06 O-20 U-01 U-02 on a terminal deploy asks, shows bars, prints what to paste; Ctrl-C asks too")
    void deployOnATerminal() throws Exception {
        assumeTrue(Commands.hasTerminals(), "no program 'script' of util-linux here, so no terminal");
        Running first = tuna.startOnTerminal(deploy("--service-name", "chat"));
        first.awaitText("Deploy Qwen/Qwen3-0.6B on 1xL4?");
        assertThat(cloud.snapshot().endpoints()).as("nothing before the answer").isEmpty();
        first.type("y\n");
        first.awaitText("try it");
        first.awaitText("##");
        first.awaitText("replica-1 serves");

        String curl = first.out()
                .lines()
                .filter(line -> line.contains("try it"))
                .findFirst()
                .orElseThrow()
                .replaceFirst(".*?curl ", "curl --silent --show-error --fail ")
                .replaceAll("\u001b\\[[0-9?;]*[a-zA-Z]", "");
        Process pasted =
                new ProcessBuilder("sh", "-c", curl).redirectErrorStream(true).start();
        String answer = new String(pasted.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(pasted.waitFor()).as(answer).isZero();
        assertThat(answer).contains("choices");

        assertThat(json("status", "chat").at("/traffic/succeeded").asLong()).isPositive();
        Running bill = tuna.startOnTerminal("cost", "chat");
        bill.awaitText("by tier:");
        bill.awaitText("\u001b["); // drawn over, so it is live
        bill.type("\u0003");
        assertThat(bill.end().out()).contains("all-serverless", "price: spot local-spot");

        first.type("\u0003");
        first.awaitText("[detach/destroy/stop/CANCEL]");
        first.type("cancel\n");
        first.awaitText("goes on");
        first.type("\u0003");
        Commands.await("asked again", () -> first.out().split("CANCEL\\]", -1).length > 2);
        first.type("destroy\n");
        Result end = first.end();
        assertThat(end.exitCode()).as(end.out()).isZero();
        assertThat(end.out()).contains("chat is destroyed");
        assertThat(cloud.snapshot().empty()).isTrue();
    }

    @Test
    @DisplayName(
            "Ctrl-C can hand over to the background, at the same address, with the same keys and with the budget as it is"
                    + " by then; the terminal is free and nothing is lost")
    void detachLater() throws Exception {
        assumeTrue(Commands.hasTerminals(), "no program 'script' of util-linux here, so no terminal");
        Running first = tuna.startOnTerminal(deploy("--service-name", "chat", "--yes", "--total-budget-per-day", "20"));
        first.awaitText("replica-1 serves");
        JsonNode access = json("status", "chat", "--access");
        json("budget", "--all", "--budget-per-day", "50");
        first.type("\u0003");
        first.awaitText("[detach/destroy/stop/CANCEL]");
        first.type("detach\n");
        Result end = first.end();
        assertThat(end.exitCode()).as(end.out()).isZero();
        assertThat(end.out()).contains("Hosted in the background");
        assertThat(tuna.isHosted()).isTrue();
        assertThat(json("status", "chat", "--access")).isEqualTo(access);
        assertThat(json("budget", "--all").at("/limits/usd_per_day").asText())
                .as("not as it was at first")
                .isEqualTo("50");

        Running doomed = tuna.startOnTerminal("destroy", "chat");
        doomed.awaitText("Destroy chat? [y/N]");
        doomed.type("n\n");
        assertThat(doomed.end().exitCode()).isEqualTo(130);
        assertThat(cloud.snapshot().empty()).isFalse();
        assertThat(tuna.run("destroy", "chat").exitCode()).isZero();
        assertThat(cloud.snapshot().empty()).isTrue();
    }

    @Test
    @DisplayName("C-05 to C-09 W-01 kill -9 and a reboot: every command tells the truth and destroy leaves nothing")
    void killedAndRebooted() throws Exception {
        Result deployed = tuna.run(deploy("--service-name", "chat", "--detach", "-o", "json"));
        assertThat(deployed.exitCode()).as(deployed.err()).isZero();
        JsonNode access = new JsonMapper().readTree(deployed.out());
        assertThat(access.path("endpoint").asText()).startsWith("http://127.0.0.1:");
        assertThat(json("status", "chat").at("/spot_state").asText()).isEqualTo("READY");
        assertThat(tuna.run("logs", "--host").out()).contains("chat: accepted");

        Result second = tuna.run(
                "deploy",
                "--model",
                "Qwen/Qwen3-1.7B",
                "--gpu",
                "L4",
                "--serverless-provider",
                "local",
                "--serverless-only",
                "--service-name",
                "other");
        assertThat(second.exitCode())
                .as("hosted by the process that is there: " + second.err())
                .isZero();
        assertThat(json("list").findValuesAsText("name")).containsExactlyInAnyOrder("chat", "other");

        ProcessHandle host = tuna.host();
        host.destroyForcibly();
        Commands.await("it is dead", () -> !host.isAlive());
        assertThat(json("list").findValuesAsText("phase")).containsOnly("ACTIVE");
        assertThat(json("status", "chat").at("/backends")).isNotEmpty();
        assertThat(json("cost", "chat").path("total").decimalValue()).isPositive();

        cloud.lose(cloud.snapshot().replicas().get(0).id()); // while nobody looks
        assertThat(tuna.run("host", "--detach", "--listen", "127.0.0.1:0").exitCode())
                .isZero();
        Commands.await(
                "it is replaced",
                () -> cloud.snapshot().replicas().stream()
                        .anyMatch(replica -> replica.phase().name().equals("READY")));
        assertThat(json("status", "chat", "--access").path("api_key"))
                .as("the same key")
                .isEqualTo(access.path("api_key"));

        ProcessHandle again = tuna.host();
        again.destroyForcibly();
        Commands.await("it is dead", () -> !again.isAlive());
        Result destroyed = tuna.run("destroy", "--all", "--clear-cache");
        assertThat(destroyed.exitCode()).as(destroyed.err()).isZero();
        assertThat(destroyed.err())
                .containsPattern("the caches of chat are cleared: local")
                .containsPattern("the caches of other are cleared: local");
        assertThat(destroyed.out()).contains("chat is destroyed", "other is destroyed");
        assertThat(cloud.snapshot().empty()).isTrue();
        assertThat(json("list", "--status", "destroyed").findValuesAsText("model"))
                .containsExactlyInAnyOrder("Qwen/Qwen3-0.6B", "Qwen/Qwen3-1.7B");
        assertThat(json("list")).isEmpty();
    }

    @Test
    @DisplayName("U-04 nobody's log is shown unless it is asked for, and then Tuna's own")
    void quietUnlessVerbose() throws Exception {
        assertThat(tuna.run("status").err()).isEmpty();
        Result verbose = tuna.run("status", "-v");
        assertThat(verbose.exitCode()).isZero();
        assertThat(verbose.err().lines()).allMatch(line -> line.contains("dev.tuna"));
        assertThat(verbose.out()).isEqualTo("Nothing is deployed.\n");
    }

    @Test
    @DisplayName("the background process ends when nothing is deployed any more, and says where its log is")
    void theBackgroundEnds() throws Exception {
        assertThat(tuna.run(deploy("--service-name", "chat", "--detach", "--no-wait"))
                        .exitCode())
                .isZero();
        ProcessHandle host = tuna.host();
        assertThat(tuna.run("destroy", "chat").exitCode()).isZero();
        Commands.await("it ends", () -> !host.isAlive());
        assertThat(cloud.snapshot().empty()).isTrue();
    }

    @Test
    @DisplayName("C-19 a deploy of which a part fails says so with its exit code, one that fails altogether too")
    void partlyFailed() throws Exception {
        Result partly = tuna.run(
                "deploy",
                "--model",
                "Qwen/Qwen3-0.6B",
                "--gpu",
                "L4",
                "--serverless-provider",
                "local,runpod",
                "--spots-cloud",
                "local-spot",
                "--listen",
                "127.0.0.1:0",
                "--service-name",
                "partly",
                "--detach");
        assertThat(partly.exitCode()).as(partly.out() + partly.err()).isEqualTo(3);
        assertThat(partly.err()).contains("runpod");
        assertThat(tuna.run("destroy", "partly").exitCode()).isZero();

        Result failed = tuna.run(
                "deploy",
                "--model",
                "Qwen/Qwen3-0.6B",
                "--gpu",
                "L4",
                "--serverless-provider",
                "runpod",
                "--serverless-only",
                "--listen",
                "127.0.0.1:0",
                "--service-name",
                "failed",
                "--detach");
        assertThat(failed.exitCode()).as(failed.out() + failed.err()).isEqualTo(1);
        assertThat(json("list", "--status", "failed").findValuesAsText("name")).containsExactly("failed");
        assertThat(cloud.snapshot().empty()).isTrue();
    }

    @Test
    @DisplayName(
            "U-02 U-03 without a terminal: plain lines, no escapes, no questions; the end leaves the deployment as it is")
    void withoutATerminal() throws Exception {
        Running hosting = tuna.start(deploy("--service-name", "chat"));
        hosting.awaitText("replica-1 serves");
        assertThat(hosting.out()).doesNotContain("\u001b", "[y/N]").contains("  endpoint  ", "replica-1: booting");
        hosting.handle().destroy();
        Result end = hosting.end();
        assertThat(end.err()).contains("chat is left as it is", "tuna destroy chat");
        assertThat(cloud.snapshot().empty()).isFalse();
        assertThat(tuna.run("destroy", "chat").exitCode()).isZero();
        assertThat(cloud.snapshot().empty()).isTrue();
    }
}
