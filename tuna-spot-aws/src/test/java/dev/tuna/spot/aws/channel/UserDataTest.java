package dev.tuna.spot.aws.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.Secret;
import dev.tuna.spot.aws.Shellcheck;
import dev.tuna.testkit.contract.InMemorySecretStore;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UserDataTest {

    private final DeploymentTrust trust =
            new DeploymentTrust(new InMemorySecretStore(), "tuna-1", InstantSource.system());

    private ReplicaBoot boot(List<String> arguments) {
        return new ReplicaBoot(
                "r-1",
                8443,
                Duration.ofMinutes(15),
                "vllm/vllm-openai:v0.31.0",
                arguments,
                Optional.of("s3://models/it's"),
                trust.certificate(),
                trust.token("r-1"));
    }

    @Test
    void itFitsIntoWhatEc2TakesAndIsTheSameEveryTime() throws Exception {
        UserData data = UserData.of(boot(List.of("org/model", "--max-model-len", "8192")));
        byte[] bytes = data.bytes();
        assertThat(bytes).hasSizeLessThanOrEqualTo(UserData.MOST_BYTES);
        assertThat(bytes)
                .isEqualTo(UserData.of(boot(List.of("org/model", "--max-model-len", "8192")))
                        .bytes());
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(bytes))) {
            assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo(data.script());
        }
        System.out.println("user data: " + bytes.length + " of " + UserData.MOST_BYTES + " bytes");
    }

    @Test
    void argumentsThatDoNotFitAreRefusedWithTheFigures() {
        byte[] noise = new byte[40_000];
        new Random(1).nextBytes(noise);
        UserData data = UserData.of(boot(List.of("org/model", HexFormat.of().formatHex(noise))));
        assertThatThrownBy(data::bytes)
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("16384")
                .hasMessageContaining("arguments");
    }

    @Test
    void everyWordReachesTheEngineAsItIs(@TempDir Path directory) throws Exception {
        List<String> words = List.of("a b", "it's", "$(touch x)", "`touch x`", "{\"k\": \"v\"}", "", "\\", "*", "a\nb");
        String script = UserData.of(boot(words)).script();
        int from = script.indexOf("set -- ");
        String arguments = script.substring(from, script.indexOf("\nTUNA_END_OF_FILE\n", from));
        Process shell = new ProcessBuilder("sh", "-c", arguments + "\nprintf '%s\\0' \"$@\"")
                .directory(directory.toFile())
                .start();
        String seen = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(List.of(seen.split("\0", -1)).subList(0, words.size())).isEqualTo(words);
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void theOnlySecretInItIsTheTokenAndNoTextShowsThat() {
        ReplicaBoot boot = boot(List.of("org/model"));
        UserData data = UserData.of(boot);
        assertThat(data.script()).contains(boot.token().reveal()).doesNotContain("PRIVATE KEY-----\n");
        assertThat(data.toString() + boot).doesNotContain(boot.token().reveal());
    }

    @Test
    void namesThatNoCertificateCouldCarryAreRefused() {
        for (String name : List.of("", "-a", "a-", "A", "a.b", "a_b", "x".repeat(64))) {
            assertThatThrownBy(() -> DeploymentTrust.name(name)).hasMessageContaining("'" + name + "'");
        }
    }

    @Test
    void shellcheckFindsNothing(@TempDir Path directory) throws Exception {
        Path whole = Files.writeString(
                directory.resolve("user-data"),
                UserData.of(boot(List.of("org/model", "--x", "it's"))).script());
        Shellcheck.findsNothingIn(
                whole,
                Shellcheck.copy(UserData.class, "boot.sh", directory),
                Shellcheck.copy(UserData.class, "machine.sh", directory));
    }

    @Test
    void aTokenIsTheSameUntilItIsForgottenAndTheAuthorityUntilItIsRemoved() {
        InMemorySecretStore kept = new InMemorySecretStore();
        DeploymentTrust first = new DeploymentTrust(kept, "tuna-1", InstantSource.system());
        Secret token = first.token("r-1");
        DeploymentTrust later = new DeploymentTrust(kept, "tuna-1", InstantSource.system());
        assertThat(later.token("r-1")).isEqualTo(token);
        assertThat(later.certificate()).isEqualTo(first.certificate());
        assertThat(later.token("r-2")).isNotEqualTo(token);
        assertThat(later.router("r-1")).isEqualTo(later.router("r-1"));
        later.forget("r-1");
        assertThat(later.token("r-1")).isNotEqualTo(token);
        later.forget("r-1");
        later.forget("r-2");
        later.remove();
        assertThat(kept.refs()).isEmpty();
        assertThat(later.certificate()).isNotEqualTo(first.certificate());
    }
}
