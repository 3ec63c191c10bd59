package dev.tuna.provider.baseten;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A shell splits words as supervisor does, so that a shell can say whether they arrive. */
class StartCommandTest {

    private static final List<String> ODD =
            List.of("plain", "a b", "it's", "\"x\"", "$HOME", "`id`", "a\\b", "{\"a\": [1, 'b']}", "", "*", "é");

    @TempDir
    Path directory;

    @Test
    void wordsArriveAsTheyAre() throws Exception {
        assertThat(run(StartCommand.line(echo(ODD), Map.of()))).isEqualTo(String.join("\n", ODD) + "\n");
    }

    @Test
    void wordsArriveAsTheyAreBehindSecretsThatAreReadFromFiles() throws Exception {
        Path file = Files.writeString(directory.resolve("it's a secret"), "s3 'cr3t' \"$x\"\n");
        List<String> words = List.of("sh", "-c", "printf '%s\\n' \"$TOKEN\" \"$@\"", "sh", "a b", "it's");
        assertThat(run(StartCommand.line(words, Map.of("TOKEN", file.toString()))))
                .isEqualTo("s3 'cr3t' \"$x\"\na b\nit's\n");
    }

    @Test
    void thereIsAShellOnlyWhereThereIsASecret() {
        assertThat(StartCommand.line(List.of("vllm", "serve", "/m"), Map.of())).isEqualTo("vllm serve /m");
        assertThat(StartCommand.line(List.of("vllm", "serve", "/m"), Map.of("T", "/secrets/t")))
                .isEqualTo("sh -c 'export T=\"$(cat /secrets/t)\" && exec vllm serve /m'");
    }

    @Test
    void whatTheSupervisorWouldTakeForItsOwnIsRefused() {
        assertThat(StartCommand.problems(ODD)).isEmpty();
        assertThat(StartCommand.problems(List.of("50%", "a ;b", "a #b", "#a", "a\nb")))
                .hasSize(5)
                .allSatisfy(problem -> assertThat(problem).contains("engine argument"));
        assertThat(StartCommand.problems(List.of("a;b#c"))).isEmpty();
    }

    private static List<String> echo(List<String> words) {
        List<String> all = new ArrayList<>(List.of("printf", "%s\\n"));
        all.addAll(words);
        return all;
    }

    private static String run(String line) throws IOException, InterruptedException {
        Process shell =
                new ProcessBuilder("sh", "-c", line).redirectErrorStream(true).start();
        String said = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(shell.waitFor()).as(said).isZero();
        return said;
    }
}
