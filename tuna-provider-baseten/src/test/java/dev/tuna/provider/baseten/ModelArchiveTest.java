package dev.tuna.provider.baseten;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.yaml.snakeyaml.Yaml;

class ModelArchiveTest {

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 511, 512, 513, 20_000})
    void tarReadsWhatIsInIt(int length) throws IOException, InterruptedException {
        assumeTrue(Files.isExecutable(Path.of("/bin/tar")) || Files.isExecutable(Path.of("/usr/bin/tar")), "needs tar");
        String content = "é".repeat(length / 2) + "x".repeat(length % 2);
        Path file = Files.write(directory.resolve("model.tar"), ModelArchive.of(content));
        Process tar = new ProcessBuilder("tar", "-tvf", file.toString())
                .redirectErrorStream(true)
                .start();
        assertThat(new String(tar.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .startsWith("-rw-r--r--")
                .contains(" " + length + " ")
                .endsWith("config.yaml\n");
        assertThat(tar.waitFor()).isZero();
        tar = new ProcessBuilder("tar", "-xOf", file.toString(), "config.yaml").start();
        assertThat(new String(tar.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEqualTo(content);
        assertThat(tar.waitFor()).isZero();
    }

    @Test
    void theSameContentGivesTheSameArchive() {
        assertThat(ModelArchive.of("a: 1\n")).isEqualTo(ModelArchive.of("a: 1\n"));
    }

    @Test
    void theConfigurationIsYamlToo() throws IOException {
        ModelPlan plan = ModelPlan.read(Plans.of(Specs.of("chat").arguments("--chat-template", "a: 'b' \"c\" \\ é"))
                .body());
        Map<?, ?> json = ModelPlan.JSON.readValue(plan.config(), Map.class);
        Map<?, ?> yaml = new Yaml().load(plan.config());
        assertThat(yaml).isEqualTo(json);
    }
}
