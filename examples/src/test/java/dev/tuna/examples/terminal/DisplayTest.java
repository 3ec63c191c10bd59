package dev.tuna.examples.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DisplayTest {

    private static final Instant START = Instant.parse("2026-11-24T12:00:00Z");
    private static final Terminal LIVE = new Terminal(true, false);

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    private final AtomicReference<Instant> now = new AtomicReference<>(START);

    @Test
    void linesOnAPlainOutputCarryTheSecondsAndNoControlCharacters() {
        try (var display = new Display(out, Terminal.PLAIN, now::get)) {
            display.board(() -> List.of("never shown"));
            display.say("first");
            now.set(START.plus(Duration.ofMillis(12_300)));
            display.say("second");
        }
        assertThat(shown()).isEqualTo("   0.0s  first\n  12.3s  second\n");
    }

    @Test
    void theBoardOfATerminalIsRedrawnBelowTheLinesAndRemovedAtTheEnd() throws InterruptedException {
        var drawnTwice = new CountDownLatch(2);
        try (var display = new Display(out, LIVE, now::get)) {
            display.board(() -> {
                drawnTwice.countDown();
                return List.of("one", "two");
            });
            assertThat(drawnTwice.await(60, TimeUnit.SECONDS)).isTrue();
            display.say("a line that stays");
        }
        assertThat(onScreen(shown())).containsExactly("   0.0s  a line that stays");
        assertThat(shown()).contains("\u001b[2A\r\u001b[J").endsWith("\u001b[?7h\u001b[?25h");
    }

    @Test
    void aBoardIsNoHigherThanTheTerminal() throws InterruptedException {
        var drawnTwice = new CountDownLatch(2);
        try (var display = new Display(out, LIVE, now::get, () -> 5)) {
            display.board(() -> {
                drawnTwice.countDown();
                return List.of("one", "two", "three", "four", "five", "six");
            });
            assertThat(drawnTwice.await(60, TimeUnit.SECONDS)).isTrue();
            display.say("a line that stays");
            assertThat(shown()).contains("three\n... 3 more lines\n").doesNotContain("four");
        }
        assertThat(onScreen(shown())).containsExactly("   0.0s  a line that stays");
    }

    @ParameterizedTest
    @CsvSource({"'50 200', 50", "'24 80', 24", "'0 0', 24", "'', 24", "'stty: no terminal', 24"})
    void theHeightIsWhatTheTerminalSaysIfItKnows(String size, int lines) {
        assertThat(TerminalHeight.read(size, TerminalHeight.USUAL)).isEqualTo(lines);
    }

    @Test
    void aBoardThatCannotBeToldDoesNotEndTheDisplay() {
        try (var display = new Display(out, LIVE, now::get)) {
            display.board(() -> {
                throw new IllegalStateException("gone");
            });
            display.say("still here");
        }
        assertThat(shown()).contains("still here");
    }

    @Test
    void linesAreStillPrintedAfterTheDisplayIsClosed() {
        var display = new Display(out, LIVE, now::get);
        display.board(() -> List.of("board"));
        display.close();
        display.close();
        display.say("late");
        assertThat(onScreen(shown())).containsExactly("   0.0s  late");
    }

    @Test
    void coloursAreLeftOutWhereNoColorIsSetOrTheTerminalIsDumb() {
        assertThat(Terminal.of(true, Map.of("TERM", "xterm"))).isEqualTo(new Terminal(true, true));
        assertThat(Terminal.of(true, Map.of("TERM", "xterm", "NO_COLOR", "1"))).isEqualTo(new Terminal(true, false));
        assertThat(Terminal.of(true, Map.of("TERM", "xterm", "NO_COLOR", ""))).isEqualTo(new Terminal(true, true));
        assertThat(Terminal.of(true, Map.of("TERM", "dumb"))).isEqualTo(Terminal.PLAIN);
        assertThat(Terminal.of(false, Map.of("TERM", "xterm"))).isEqualTo(Terminal.PLAIN);
        assertThat(LIVE.paint(Colour.RED, "red")).isEqualTo("red");
        assertThat(new Terminal(true, true).paint(Colour.RED, "red")).isEqualTo("\u001b[31mred\u001b[0m");
    }

    private String shown() {
        return bytes.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
    }

    /** What a terminal would show at the end: moving up and clearing to the end is all that the display does. */
    private static List<String> onScreen(String shown) {
        var lines = new java.util.ArrayList<String>();
        String text = shown.replaceAll("\u001b\\[\\?[0-9]+[hl]", "");
        for (String line : text.split("\n")) {
            var up = java.util.regex.Pattern.compile("\u001b\\[([0-9]+)A\r\u001b\\[J")
                    .matcher(line);
            String rest = line;
            while (up.find()) {
                int count = Integer.parseInt(up.group(1));
                lines.subList(lines.size() - count, lines.size()).clear();
                rest = line.substring(up.end());
            }
            if (!rest.isEmpty()) {
                lines.add(rest);
            }
        }
        return lines;
    }
}
