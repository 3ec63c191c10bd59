package dev.tuna.spot.aws.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tuna.spot.aws.channel.ReplicaReport.Phase;
import dev.tuna.testkit.contract.InMemorySecretStore;
import dev.tuna.testkit.machine.MachineSandbox;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes wrong on a machine ends it, or is told; nothing of it waits for ever. */
class BootFailureTest {

    private static final URI NO_METADATA = URI.create("http://127.0.0.1:1");

    @TempDir
    private Path root;

    @BeforeEach
    void here() {
        assumeTrue(
                MachineSandbox.missing().isEmpty(),
                () -> MachineSandbox.missing().orElse(""));
    }

    private void happens(String file) throws IOException {
        Files.createFile(root.resolve(file));
    }

    private List<String> commands() throws IOException {
        return Files.readAllLines(root.resolve("commands"));
    }

    private static byte[] userData() {
        DeploymentTrust trust = new DeploymentTrust(new InMemorySecretStore(), Rig.DEPLOYMENT, InstantSource.system());
        return UserData.of(new ReplicaBoot(
                        Rig.REPLICA,
                        8443,
                        Rig.ORPHAN,
                        "image",
                        List.of("m"),
                        Optional.empty(),
                        trust.certificate(),
                        trust.token(Rig.REPLICA)))
                .bytes();
    }

    @Test
    void aMachineWithoutPythonEndsItself() throws Exception {
        assertThatThrownBy(() -> boot(Map.of("PATH", little().toString())))
                .hasMessageContaining("ending this machine: python3 is missing");
        assertThat(commands()).contains("shutdown -h now");
        assertThat(root.resolve("run/tuna/agent.pid")).doesNotExist();
    }

    @Test
    void aMachineThatCanMakeNoKeyEndsItself() throws Exception {
        own("openssl", "exit 1");
        assertThatThrownBy(() -> boot(Map.of())).hasMessageContaining("ending this machine: openssl makes no key");
        assertThat(commands()).contains("shutdown -h now");
        assertThat(root.resolve("run/tuna/agent.pid")).doesNotExist();
    }

    @Test
    void aMachineWhoseInstallationFailsAnywhereElseEndsItself() throws Exception {
        Files.createDirectories(root.resolve("run/tuna/alive"));
        assertThatThrownBy(() -> boot(Map.of())).hasMessageContaining("ending this machine: its installation fails");
        assertThat(commands()).contains("shutdown -h now");
    }

    private void own(String command, String script) throws IOException {
        Path file = Files.createDirectories(root.resolve("bin")).resolve(command);
        Files.writeString(file, "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
    }

    /** A directory with the little that the script uses before it looks for Python. */
    private Path little() throws IOException {
        for (String command : List.of("sh", "mkdir", "cat", "touch", "sleep", "tail", "cut")) {
            own(command, "exec \"$(PATH=/usr/bin:/bin command -v " + command + ")\" \"$@\"");
        }
        return root.resolve("bin");
    }

    private MachineSandbox boot(Map<String, String> environment) {
        return MachineSandbox.boot(
                root, userData(), NO_METADATA, new InetSocketAddress(InetAddress.getLoopbackAddress(), 1), environment);
    }

    @ParameterizedTest(name = "shutdown works: {0}")
    @ValueSource(booleans = {true, false})
    void aMachineThatCannotEvenKeepItsFilesEndsItself(boolean plain) throws Exception {
        Files.createDirectories(root.resolve("var"));
        Files.createFile(root.resolve("var/lib"));
        if (!plain) {
            happens("no-shutdown");
        }
        assertThatThrownBy(() -> boot(Map.of())).hasMessageContaining("the user data fails");
        assertThat(commands())
                .isEqualTo(plain ? List.of("shutdown -h now") : List.of("shutdown -h now", "poweroff -ff"));
    }

    @ParameterizedTest(name = "shutdown works: {0}")
    @ValueSource(booleans = {true, false})
    void aMachineWhoseAgentIsGoneForGoodEndsItself(boolean plain) throws Exception {
        if (!plain) {
            happens("no-shutdown");
        }
        try (Rig rig = new Rig(root)) {
            rig.seen("life", report -> true);
            rig.killAgent();
            assertThat(rig.machine.isOff()).isFalse();
            Path alive = root.resolve("run/tuna/alive");
            Files.setLastModifiedTime(alive, FileTime.from(Instant.now().minus(Rig.ORPHAN.plusMinutes(3))));
            rig.until("the end", () -> Optional.of(rig.machine.isOff()).filter(off -> off));
            assertThat(rig.machine.text("var/lib/tuna/boot.log"))
                    .contains("ending this machine: the agent does not run");
            assertThat(commands()).contains(plain ? "shutdown -h now" : "poweroff -ff");
        }
    }

    private ReplicaReport failed(Rig rig) {
        return rig.seen("failure", report -> report.phase() == Phase.FAILED);
    }

    @Test
    void anImageThatCannotBePulledIsTriedAgainAndThenToldWithDockersWords() throws Exception {
        happens("no-image");
        try (Rig rig = new Rig(root)) {
            assertThat(failed(rig).detail()).isEqualTo("cannot pull vllm/vllm-openai:v0.31.0: manifest unknown");
            assertThat(commands().stream().filter(line -> line.startsWith("docker pull")))
                    .hasSize(4);
            assertThat(rig.machine.text("var/lib/tuna/boot.log"))
                    .contains("image fetching vllm/vllm-openai:v0.31.0 again: manifest unknown");
        }
    }

    @Test
    void anImageThatTakesTooLongIsNotWaitedFor() throws Exception {
        happens("slow-image");
        try (Rig rig = new Rig(root, Optional.empty(), Map.of("TUNA_PULL_LIMIT", "1", "TUNA_PAUSES", "0"))) {
            assertThat(failed(rig).detail())
                    .isEqualTo("cannot pull vllm/vllm-openai:v0.31.0: it takes longer than 1 s");
        }
    }

    @Test
    void aDockerThatDoesNotRunIsToldWithItsWords() throws Exception {
        happens("no-docker");
        try (Rig rig = new Rig(root)) {
            assertThat(failed(rig).detail()).startsWith("docker does not run: Cannot connect to the Docker daemon");
        }
    }

    @ParameterizedTest
    @CsvSource({"no-s3, 'fatal error: An error occurred (AccessDenied)'", "slow-s3, it takes longer than 1 s"})
    void aModelCacheThatCannotBeReadIsToldAndTheHubAsked(String fault, String words) throws Exception {
        happens(fault);
        try (Rig rig = new Rig(root, Optional.of("s3://models/org"), Map.of("TUNA_SYNC_LIMIT", "1"))) {
            rig.ready();
            assertThat(rig.machine.text("var/lib/tuna/boot.log"))
                    .contains("weights fetching and loading; not from s3://models/org: " + words);
        }
    }

    @Test
    void aMereDirectoryIsNoInstanceStore() throws Exception {
        happens("not-mounted");
        Files.createDirectories(root.resolve("nvme"));
        try (Rig rig = new Rig(root)) {
            rig.ready();
            assertThat(root.resolve("etc/docker/daemon.json")).doesNotExist();
            assertThat(root.resolve("nvme")).isEmptyDirectory();
            assertThat(commands()).noneMatch(line -> line.startsWith("systemctl"));
        }
    }
}
