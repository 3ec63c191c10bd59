package dev.tuna.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How the script has the classes of the next start ready: with a Java that only writes down what it is asked. */
class TunaScriptTest {

    private static final String ARCHIVES = "-XX:ArchiveClassesAtExit=";
    private static final String SHARES = "-XX:SharedArchiveFile=";

    /** Begins to archive, does what the test wants then, and writes the rest unless that ended it. */
    private static final String JAVA = """
            #!/bin/sh
            echo "$*" >>'%1$s/asked'
            case $1 in -XX:ArchiveClassesAtExit=*)
              printf 'half ' >"${1#*=}"
              if [ -f '%1$s/signal' ]; then kill -s "$(cat '%1$s/signal')" "$PPID"; exit 1; fi
              printf whole >"${1#*=}" ;;
            esac
            """;

    private static final String BUILD = "tuna_target='%1$s/target'%nTUNA_JAVA='%1$s/java'%n";

    @TempDir
    private Path directory;

    @BeforeEach
    void lay() throws IOException {
        Files.copy(Path.of("tuna.sh"), directory.resolve("tuna.sh"));
        Files.writeString(directory.resolve("build.sh"), BUILD.formatted(directory));
        Path java = Files.writeString(directory.resolve("java"), JAVA.formatted(directory));
        assertThat(java.toFile().setExecutable(true)).isTrue();
        Files.createDirectory(directory.resolve("target"));
        Path jar = Files.createFile(directory.resolve("target").resolve("tuna.jar"));
        Files.setLastModifiedTime(jar, FileTime.from(Instant.EPOCH));
    }

    /** Returns what Java was asked. */
    private List<String> start() throws Exception {
        Path asked = directory.resolve("asked");
        Files.deleteIfExists(asked);
        Process shell = new ProcessBuilder("sh", directory.resolve("tuna.sh").toString(), "list")
                .redirectErrorStream(true)
                .start();
        String said = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        shell.waitFor();
        assertThat(said).isEmpty();
        return Files.readAllLines(asked);
    }

    private List<String> made() throws IOException {
        try (Stream<Path> files = Files.list(directory.resolve("target"))) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    @DisplayName("the first start archives classes, those after it share them, and nothing else is left")
    void theSecondStartShares() throws Exception {
        assertThat(start())
                .satisfiesExactly(
                        first -> assertThat(first).startsWith(ARCHIVES),
                        second -> assertThat(second).doesNotContain(SHARES).endsWith("tuna.jar list"));
        assertThat(start()).singleElement().asString().contains(SHARES + directory.resolve("target/tuna.jsa"));
        assertThat(made()).containsExactly("tuna.jar", "tuna.jsa");
    }

    @ParameterizedTest
    @DisplayName("a first start that is broken off or killed leaves it to the next one, and no half archive")
    @ValueSource(strings = {"INT", "TERM", "KILL"})
    void brokenOff(String signal) throws Exception {
        Path wanted = Files.writeString(directory.resolve("signal"), signal);
        assertThat(start()).as("the end came").hasSize(1);
        Files.delete(wanted);
        assertThat(start()).hasSize(2).first().asString().startsWith(ARCHIVES);
        assertThat(directory.resolve("target/tuna.jsa")).hasContent("whole");
        assertThat(start()).singleElement().asString().contains(SHARES);
        assertThat(made()).containsExactly("tuna.jar", "tuna.jsa");
    }

    @Test
    @DisplayName("while another process archives nobody waits for it")
    void anotherOneArchives() throws Exception {
        Files.createSymbolicLink(
                directory.resolve("target/archiver"),
                Path.of(Long.toString(ProcessHandle.current().pid())));
        assertThat(start()).singleElement().asString().doesNotContain(ARCHIVES, SHARES);
        assertThat(made()).containsExactly("archiver", "tuna.jar");
    }
}
