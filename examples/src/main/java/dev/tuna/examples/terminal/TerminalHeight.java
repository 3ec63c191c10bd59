package dev.tuna.examples.terminal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.function.IntSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How many lines the terminal has at which this process was started. Confined to one thread. */
final class TerminalHeight implements IntSupplier {

    /** What terminals had before they could be resized. */
    static final int USUAL = 24;

    private static final Pattern SIZE = Pattern.compile("(\\d+) \\d+\\s*");
    /** A person resizes a window now and then, and asking starts a process. */
    private static final Duration FRESH = Duration.ofSeconds(2);

    private final InstantSource clock;
    private int known = USUAL;
    private Instant askedAt = Instant.MIN;

    TerminalHeight(InstantSource clock) {
        this.clock = clock;
    }

    @Override
    public int getAsInt() {
        Instant now = clock.instant();
        if (askedAt.equals(Instant.MIN) || !askedAt.plus(FRESH).isAfter(now)) {
            askedAt = now;
            known = asked();
        }
        return known;
    }

    private int asked() {
        try {
            Process size = new ProcessBuilder("stty", "size")
                    .redirectInput(ProcessBuilder.Redirect.INHERIT)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return read(new String(size.getInputStream().readAllBytes(), StandardCharsets.US_ASCII), known);
        } catch (IOException e) {
            return known;
        }
    }

    /** The lines of rows and columns; what is not understood, or said by a terminal that does not know, changes nothing. */
    static int read(String size, int otherwise) {
        Matcher found = SIZE.matcher(size);
        return found.matches() && found.group(1).length() < 5 && Integer.parseInt(found.group(1)) > 2
                ? Integer.parseInt(found.group(1))
                : otherwise;
    }
}
