package dev.tuna.examples.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HandedSettingsTest {

    @TempDir
    private Path directory;

    @Test
    void settingsArriveAsTheyWere() throws Exception {
        Map<String, Map<String, String>> settings =
                Map.of("local", Map.of("url", "http://h:1", "a.b", " x=y\n#z \u9c52"), "aws", Map.of("key", "!s"));
        var out = new StringWriter();
        HandedSettings.write(settings, out);
        assertThat(HandedSettings.read(new StringReader(out.toString()))).isEqualTo(settings);
        assertThat(HandedSettings.read(new StringReader(""))).isEmpty();
    }

    @Test
    void aLogIsReadFromItsEnd() throws Exception {
        Path log = Files.writeString(directory.resolve("tuna.log"), "one\ntwo\n\nthree\n");
        assertThat(LogTail.lines(log, 0, 2)).containsExactly("two", "three");
        assertThat(LogTail.lines(log, 8, 9)).containsExactly("three");
        assertThat(LogTail.lines(log, 99, 9)).isEmpty();
        Files.writeString(log, "x".repeat(5 << 20) + "\nlast\n");
        assertThat(LogTail.lines(log, 0, 9)).containsExactly("last");
    }
}
