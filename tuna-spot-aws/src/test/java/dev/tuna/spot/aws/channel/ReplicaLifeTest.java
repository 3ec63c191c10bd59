package dev.tuna.spot.aws.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tuna.api.SecretRef;
import dev.tuna.spot.aws.channel.ReplicaReport.Gpu;
import dev.tuna.spot.aws.channel.ReplicaReport.Phase;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** User data and agent run for real, on a machine that is a directory. */
class ReplicaLifeTest {

    @TempDir
    private Path root;

    private static HttpClient client(Rig rig) {
        return HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .sslContext(rig.trust.router(Rig.REPLICA).sslContext())
                .build();
    }

    private static HttpRequest chat(Rig rig, boolean stream, int tokens) {
        String body = "{\"model\":\"" + Rig.MODEL + "\",\"stream\":" + stream + ",\"max_tokens\":" + tokens
                + ",\"min_tokens\":" + tokens + ",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}";
        return HttpRequest.newBuilder(URI.create(rig.channel.backend().url() + "/v1/chat/completions"))
                .header("Content-Type", "application/json")
                .header("Authorization", "Bearer " + Rig.ENGINE_KEY.reveal())
                .POST(BodyPublishers.ofString(body))
                .build();
    }

    @Test
    void aReplicaLivesFromItsFirstBootToTheEndThatItsCloudAnnounces() throws Exception {
        try (Rig rig = new Rig(root, Optional.empty(), "--standin-tokens-per-second", "20")) {
            ReplicaReport ready = rig.ready();
            assertThat(ready.draining()).isEmpty();
            assertThat(ready.interruption()).isEmpty();
            assertThat(rig.trust.openToken(Rig.REPLICA))
                    .as("the token is worthless")
                    .isEmpty();
            assertThat(root.resolve("var/lib/tuna/token")).doesNotExist();
            rig.seen(
                    "GPUs",
                    report -> report.gpus().equals(List.of(new Gpu(37, 18_211, 23_034), new Gpu(0, 4, 23_034))));

            HttpClient client = client(rig);
            assertThat(client.send(chat(rig, false, 3), BodyHandlers.ofString()).statusCode())
                    .isEqualTo(200);
            CompletableFuture<HttpResponse<String>> long1 =
                    client.sendAsync(chat(rig, true, 60), BodyHandlers.ofString());
            rig.seen("a request in flight", report -> report.inFlight() == 1);

            rig.metadata.recommendRebalance(Instant.now());
            rig.seen("the recommendation", report -> report.rebalanceAt().isPresent());
            Instant end = Instant.now().plusSeconds(120).truncatedTo(ChronoUnit.SECONDS);
            rig.metadata.interrupt(end);
            ReplicaReport noticed =
                    rig.seen("the notice", report -> report.interruption().isPresent());
            assertThat(noticed.interruption().get().at()).isEqualTo(end);
            assertThat(noticed.draining()).contains("the cloud takes this machine");

            HttpResponse<String> refused = client.send(chat(rig, false, 3), BodyHandlers.ofString());
            assertThat(refused.statusCode()).isEqualTo(503);
            assertThat(refused.headers().firstValue("Retry-After")).hasValue("5");
            assertThat(rig.channel.backend().unserved())
                    .anyMatch(answer -> answer.matches(refused.statusCode(), refused.body()));
            assertThat(long1.get(60, TimeUnit.SECONDS).body()).contains("[DONE]");
            assertThat(rig.machine.isOff())
                    .as("it is the cloud's until its end")
                    .isFalse();

            rig.machine.pass(Duration.ofSeconds(130));
            rig.machine.off().get(60, TimeUnit.SECONDS);
            assertThat(rig.machine.commands()).contains("shutdown -h now");
            assertThat(rig.leaks()).isEmpty();
        }
    }

    @Test
    void whoeverIsNeverEnrolledEndsItself() throws Exception {
        try (Rig rig = new Rig(root)) {
            rig.logged("not enrolled");
            rig.machine.pass(Rig.ORPHAN.minusSeconds(30));
            rig.swept();
            assertThat(rig.log()).doesNotContain("ending this machine");
            assertThat(rig.machine.isOff()).isFalse();
            rig.machine.pass(Duration.ofSeconds(31));
            rig.machine.off().get(60, TimeUnit.SECONDS);
            assertThat(rig.log()).contains("no controller has spoken for");
        }
    }

    @Test
    void aReplicaEndsItselfWhenItsControllerIsGone() throws Exception {
        try (Rig rig = new Rig(root)) {
            rig.ready();
            rig.machine.pass(Rig.ORPHAN.minusSeconds(30));
            ReplicaReport heard = rig.seen(
                    "that time has passed", report -> report.sinceContact().compareTo(Rig.ORPHAN.minusSeconds(60)) > 0);
            assertThat(heard.sinceContact()).isLessThan(Rig.ORPHAN);
            rig.machine.pass(
                    Rig.ORPHAN.minusSeconds(30)); // less than the limit since the last look, more since the one before
            rig.seen("life", report -> true);
            assertThat(rig.machine.isOff()).isFalse();
            rig.machine.pass(Rig.ORPHAN.plusSeconds(1));
            rig.machine.off().get(60, TimeUnit.SECONDS);
        }
    }

    @Test
    void aRebootIsNoSignOfLife() throws Exception {
        try (Rig rig = new Rig(root)) {
            rig.ready();
            rig.machine.pass(Duration.ofMinutes(5));
            rig.reboot();
            rig.machine.pass(Duration.ofMinutes(5));
            rig.reboot();
            ReplicaReport first = rig.seen("the agent", report -> true);
            assertThat(first.sinceContact()).isGreaterThanOrEqualTo(Duration.ofMinutes(9));
            rig.ready();
            rig.machine.pass(Rig.ORPHAN.minusSeconds(60));
            rig.reboot();
            rig.machine.pass(Duration.ofSeconds(90));
            rig.logged("no controller has spoken for");
            rig.until("the end", () -> Optional.of(rig.machine.isOff()).filter(off -> off));
        }
    }

    @Test
    void aMachineThatCannotShutDownIsPoweredOff() throws Exception {
        Files.createFile(root.resolve("no-shutdown"));
        try (Rig rig = new Rig(root)) {
            rig.logged("not enrolled");
            rig.machine.pass(Rig.ORPHAN.plusSeconds(1));
            rig.machine.off().get(60, TimeUnit.SECONDS);
            assertThat(rig.machine.commands()).contains("shutdown -h now", "poweroff -ff");
        }
    }

    @Test
    void aNoticeThatLeavesLittleTimeIsNotWaitedForAnyLonger() throws Exception {
        try (Rig rig = new Rig(root)) {
            rig.ready();
            rig.metadata.interrupt(Instant.now().plusSeconds(20));
            rig.seen("the notice", report -> report.interruption().isPresent());
            rig.machine.pass(Duration.ofSeconds(30));
            rig.machine.off().get(60, TimeUnit.SECONDS);
            assertThat(rig.log()).contains("the cloud's notice is over");
        }
    }

    @Test
    void aMachineWhoseDateIsWrongKeepsTheTwoMinutesThatItsCloudGives() throws Exception {
        try (Rig rig = new Rig(root)) {
            rig.ready();
            rig.metadata.interrupt(Instant.now().minus(Duration.ofHours(2)));
            Duration noticed = rig.seen(
                            "the notice", report -> report.interruption().isPresent())
                    .uptime();
            rig.machine.pass(Duration.ofSeconds(90));
            rig.seen("that time has passed", report -> report.uptime().compareTo(noticed.plusSeconds(90)) >= 0);
            assertThat(rig.log()).doesNotContain("ending this machine");
            rig.machine.pass(Duration.ofSeconds(40));
            rig.machine.off().get(60, TimeUnit.SECONDS);
        }
    }

    @Test
    void aNoticeIsSeenThoughTheTokenHasExpired() throws Exception {
        try (Rig rig = new Rig(root)) {
            rig.ready();
            rig.metadata.expireToken();
            rig.metadata.interrupt(Instant.now().plusSeconds(120));
            rig.seen("the notice", report -> report.interruption().isPresent());
            // Every half a second one is made; three that fail leave two seconds' time.
            assertThat(rig.metadata.refusedLooks()).isBetween(1, 3);
        }
    }

    @Test
    void aNoticeIsSeenWhileNoTokenIsToBeHad() throws Exception {
        try (Rig rig = new Rig(root)) {
            rig.ready();
            rig.metadata.hangTokens();
            rig.machine.pass(Duration.ofMinutes(6));
            rig.until("a token in vain", () -> Optional.of(rig.metadata.hung()).filter(hung -> hung > 1));
            rig.metadata.interrupt(Instant.now().plus(Duration.ofMinutes(8)));
            rig.seen("the notice", report -> report.interruption().isPresent());
        }
    }

    @Test
    void aMachineWithoutMetadataServesAllTheSameAndSaysSoOnce() throws Exception {
        try (Rig rig = new Rig(root, Optional.empty(), Map.of("TUNA_METADATA", "http://127.0.0.1:1"))) {
            rig.ready();
            rig.logged("Metadata.renew: ConnectionRefusedError");
            assertThat(rig.log().lines().filter(line -> line.contains("Metadata.")))
                    .hasSize(1);
        }
    }

    @Test
    void aReplicaListensOverBothVersionsOfIp() throws Exception {
        assumeTrue(
                Files.exists(Path.of("/proc/net/if_inet6"))
                        && Files.readString(Path.of("/proc/net/if_inet6")).contains(" lo\n"),
                "there is no IPv6 here");
        try (Rig rig = new Rig(root, Optional.empty(), Map.of("TUNA_HOST", ""))) {
            rig.seen("life over IPv4", report -> true);
            InetSocketAddress six = new InetSocketAddress(
                    InetAddress.getAllByName("::1")[0], rig.machine.address().getPort());
            try (ReplicaChannel over6 =
                    new ReplicaChannel(rig.trust, Rig.REPLICA, six, Map::of, ChannelTimes.DEFAULT)) {
                assertThat(over6.look().uptime()).isPositive();
                assertThat(over6.backend().url().getHost()).isEqualTo("[0:0:0:0:0:0:0:1]");
            }
            new Socket(rig.machine.address().getAddress(), six.getPort()).close();
            rig.logged("127.0.0.1 refused");
            assertThat(rig.log()).doesNotContain("::ffff:");
        }
    }

    @Test
    void anEngineThatEndsIsStartedAgainAndOneThatNeverCameUpIsToldOf() throws Exception {
        try (Rig rig = new Rig(root)) {
            rig.ready();
            String first = rig.machine.text("docker/pid");
            ProcessHandle.of(Long.parseLong(first.strip())).orElseThrow().destroyForcibly();
            rig.until(
                    "another engine",
                    () -> Optional.of(rig.machine.text("docker/pid"))
                            .filter(pid -> !pid.isBlank() && !pid.equals(first)));
            rig.ready();
        }
    }

    @Test
    void anEngineThatDoesNotComeUpAgainIsNotTakenForTheOneBefore() throws Exception {
        try (Rig rig = new Rig(root)) {
            rig.ready();
            Files.createFile(root.resolve("no-engine"));
            String engine = rig.machine.text("docker/pid").strip();
            ProcessHandle.of(Long.parseLong(engine)).orElseThrow().destroyForcibly();
            ReplicaReport failed = rig.seen("failure", report -> report.phase() == Phase.FAILED);
            assertThat(failed.detail()).contains("Engine core initialization failed");
            assertThat(failed.detail()).as("words of the engine before").doesNotContain("stand-in:");
            assertThat(rig.machine.commands().stream().filter(line -> line.startsWith("docker start")))
                    .hasSize(1);
        }
    }

    @Test
    void anEngineThatCannotStartFailsTheReplicaAtOnceWithItsLastWordsT04() throws Exception {
        try (Rig rig = new Rig(root, Optional.empty(), "--standin-boot-failure", "3")) {
            ReplicaReport failed = rig.seen("failure", report -> report.phase() == Phase.FAILED);
            assertThat(failed.detail()).contains("the engine ended", "Engine core initialization failed");
            HttpResponse<String> refused = client(rig).send(chat(rig, false, 3), BodyHandlers.ofString());
            assertThat(rig.channel.backend().unserved())
                    .as(refused.body())
                    .anyMatch(answer -> answer.matches(refused.statusCode(), refused.body()));
            assertThat(rig.leaks()).isEmpty();
        }
    }

    @Test
    void theInstanceStoreHoldsImagesAndWeightsAndTheCacheIsAskedFirst() throws Exception {
        Files.createDirectories(root.resolve("nvme"));
        try (Rig rig = new Rig(root, Optional.of("s3://models/org"))) {
            rig.ready();
            assertThat(Files.readString(root.resolve("etc/docker/daemon.json")))
                    .contains("\"data-root\": \"" + root.resolve("nvme/docker") + "\"");
            assertThat(root.resolve("nvme/cache/hub/from-s3")).exists();
            assertThat(rig.machine.commands())
                    .contains("systemctl restart docker", "docker pull -q vllm/vllm-openai:v0.31.0")
                    .anyMatch(line -> line.startsWith("docker run -d")
                            && line.contains(
                                    "-p 127.0.0.1:" + rig.machine.engine().getPort() + ":8000")
                            && line.contains("-v " + root.resolve("nvme/cache") + ":/root/.cache/huggingface")
                            && line.endsWith("--entrypoint vllm vllm/vllm-openai:v0.31.0 serve " + Rig.MODEL
                                    + " --host 0.0.0.0 --port 8000 --served-model-name " + Rig.MODEL));
        }
    }

    @Test
    void anAgentThatFailsComesBackEnrolledAndRemembersWhoSpokeToItLast() throws Exception {
        try (Rig rig = new Rig(root)) {
            rig.ready();
            rig.machine.pass(Duration.ofMinutes(5));
            rig.restartAgent();
            ReplicaReport first = rig.seen("the agent", report -> true);
            assertThat(first.sinceContact()).isGreaterThanOrEqualTo(Duration.ofMinutes(4));
            rig.logged(", enrolled");
            rig.ready();
        }
    }

    @Test
    void keysThatAreGoneAsAfterARebootAreBroughtAgain() throws Exception {
        try (Rig rig = new Rig(root)) {
            rig.ready();
            Files.delete(root.resolve("run/tuna/engine.env"));
            rig.channel.look();
            assertThat(root.resolve("run/tuna/engine.env")).content().contains(Rig.ENGINE_KEY.reveal());
        }
    }

    @Test
    void aHostThatWasCutOffWhileItEnrolledAReplicaGoesOnWithIt() throws IOException {
        try (Rig rig = new Rig(root)) {
            rig.ready();
            rig.secrets.put(new SecretRef("aws/" + Rig.DEPLOYMENT + "/enrol/" + Rig.REPLICA), rig.token);
            rig.channel.close();
            assertThat(rig.channel.look().phase()).isEqualTo(Phase.READY);
            assertThat(rig.trust.openToken(Rig.REPLICA)).isEmpty();
        }
    }
}
