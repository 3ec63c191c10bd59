package dev.tuna.examples.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tuna.testkit.vllm.Fault;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The official client for Node, with the retries that it comes with, never learns that a replica went away. Skipped, with
 * the reason, where there is no Node or its packages cannot be had.
 */
@Tag("full")
class NodeClientsTest {

    private static final Path SCRIPTS = Path.of("src", "test", "node");

    @TempDir
    static Path directory;

    private final PreemptedEndpoint endpoint = new PreemptedEndpoint();

    @BeforeAll
    static void install() throws Exception {
        for (String file : List.of("package.json", "openai.mjs")) {
            Files.copy(SCRIPTS.resolve(file), directory.resolve(file));
        }
        Ended node = run("node", "--version");
        assumeTrue(node.ok(), "needs Node: " + node.output());
        Ended npm = run("npm", "install", "--no-audit", "--no-fund", "--no-package-lock");
        assumeTrue(npm.ok(), "npm cannot install the client: " + npm.output());
    }

    @AfterEach
    void close() {
        endpoint.close();
    }

    static Stream<Arguments> modesAndPreemptions() {
        return Stream.of("chat", "completion", "whole")
                .flatMap(mode ->
                        PreemptedEndpoint.preemptions().map(how -> Arguments.of(mode, how.get()[0], how.get()[1])));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("modesAndPreemptions")
    @DisplayName("an answer comes to its end though its replica does too")
    void comesToItsEnd(String mode, String how, Fault preemption) throws Exception {
        endpoint.preempt(preemption);
        Ended seen = ask(endpoint.uri(), mode);
        assertThat(seen.output()).contains("\"ids\":1");
        assertThat(seen).isEqualTo(ask(endpoint.undisturbed(), mode));
        assertThat(endpoint.continued()).isEqualTo(mode.equals("whole") ? 0 : 1);
        assertThat(endpoint.answeredAndRetried()).isEqualTo("1 of 1 answered, 0 sent again");
    }

    private Ended ask(URI uri, String mode) throws Exception {
        return run("node", "openai.mjs", uri.toString(), endpoint.model(), mode);
    }

    /** What became of a command, and all that it said. */
    private record Ended(boolean ok, String output) {}

    private static Ended run(String... command) throws InterruptedException {
        try {
            Process process = new ProcessBuilder(command)
                    .directory(directory.toFile())
                    .redirectErrorStream(true)
                    .start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Ended(process.waitFor() == 0, output);
        } catch (IOException e) {
            return new Ended(false, e.getMessage());
        }
    }
}
