package dev.tuna.examples.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tuna.core.provider.ProviderCatalog;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The self-contained jar. It is made after the tests have run, so the build runs this class once more then. */
class JarIT {

    private static final Path JAR = Path.of("target", "tuna.jar").toAbsolutePath();

    @TempDir
    private Path state;

    @BeforeEach
    void thereIsAJar() {
        assumeTrue(Files.exists(JAR), JAR + " is made by 'mvn package'");
    }

    private String run(int exitCode, String... arguments) throws IOException, InterruptedException {
        var words = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-jar", JAR.toString()));
        words.addAll(List.of(arguments));
        var builder = new ProcessBuilder(words).redirectErrorStream(true);
        builder.environment().put("TUNA_STATE_DIR", state.toString());
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(180, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isEqualTo(exitCode);
        return output;
    }

    @Test
    void startsAloneAndFindsEveryProviderThatTheClassPathHas() throws Exception {
        ProviderCatalog expected = ProviderCatalog.of(List.of(), List.of()).andFound(JarIT.class.getClassLoader());
        var names = new ArrayList<>(expected.serverlessNames());
        names.addAll(expected.spotNames());
        names.remove("static"); // the example of a plugin is on the tests' class path only
        assertThat(names).contains("modal", "runpod", "cloudrun", "baseten", "aws", "local", "local-spot");
        String answer = run(2, "check", "--provider", "nobody");
        assertThat(answer).contains(names).doesNotContain("could not be loaded");
    }

    @Test
    void bringsTheLicencesAndNoticesOfWhatIsInIt() throws IOException {
        try (var jar = new ZipFile(JAR.toFile())) {
            assertThat(text(jar, "LICENSE")).contains("MIT License", "Tuna");
            assertThat(text(jar, "META-INF/LICENSE") + text(jar, "META-INF/LICENSE.txt"))
                    .contains("Apache License", "QOS.ch");
            assertThat(text(jar, "META-INF/NOTICE")).contains("AWS SDK for Java", "Jackson");
        }
    }

    private static String text(ZipFile jar, String name) throws IOException {
        try (InputStream content = jar.getInputStream(jar.getEntry(name))) {
            return new String(content.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void isWhatARoutersMachineRuns() throws Exception {
        assertThat(run(
                        0,
                        ("deploy --model m --gpu L4 --service-name chat --serverless-provider runpod --serverless-only"
                                        + " --use-different-vm-for-lb --dry-run -P aws.artifact_bucket=jars"
                                        + " -P aws.router_instance_profile=router")
                                .split(" ")))
                .contains("Router VM chat");
    }

    @Test
    void helpAndListNeedNothingElse() throws Exception {
        assertThat(run(0, "--help")).contains("deploy", ExitCode.EXPLAINED.substring(0, 20));
        assertThat(run(0, "list")).isEqualTo("Nothing is deployed." + System.lineSeparator());
        assertThat(run(0, "show-gpus", "--provider", "runpod")).contains("H100");
    }
}
