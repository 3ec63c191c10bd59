package dev.tuna.examples.terminal;

import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntSupplier;
import java.util.function.Supplier;

/**
 * Lines that stay, and below them a board that is redrawn in place. Where nothing can be redrawn there is no board. Each
 * line that stays begins with the seconds since the display began.
 *
 * <p>Thread-safe. One daemon thread, {@code tuna-display}, redraws; closing ends it and leaves the terminal as it was.
 */
public final class Display implements AutoCloseable {

    private static final long REDRAW_MILLIS = 200;
    private static final String HIDE_CURSOR = "\u001b[?25l";
    private static final String SHOW_CURSOR = "\u001b[?25h";
    // Lines longer than the terminal is wide are cut, not wrapped: moving up counts lines.
    private static final String WRAP_OFF = "\u001b[?7l";
    private static final String WRAP_ON = "\u001b[?7h";

    private final PrintStream out;
    private final Terminal terminal;
    private final InstantSource clock;
    private final IntSupplier height;
    private final Instant began;
    private final ScheduledExecutorService redraw;

    private final ReentrantLock lock = new ReentrantLock();
    // Guarded by lock.
    private Supplier<List<String>> board = List::of;
    private int drawn;
    private boolean closed;

    /**
     * Begins to show.
     *
     * @param out where
     * @param terminal what that is
     * @param clock for the seconds in front of each line
     */
    public Display(PrintStream out, Terminal terminal, InstantSource clock) {
        this(out, terminal, clock, new TerminalHeight(clock));
    }

    /** With a terminal of another height. */
    Display(PrintStream out, Terminal terminal, InstantSource clock, IntSupplier height) {
        this.out = out;
        this.height = height;
        this.terminal = terminal;
        this.clock = clock;
        this.began = clock.instant();
        this.redraw = Executors.newSingleThreadScheduledExecutor(task -> {
            var thread = new Thread(task, "tuna-display");
            thread.setDaemon(true);
            return thread;
        });
        if (terminal.live()) {
            var unused =
                    redraw.scheduleWithFixedDelay(this::redraw, REDRAW_MILLIS, REDRAW_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    /**
     * What this display can do.
     *
     * @return the terminal that it was made for
     */
    public Terminal terminal() {
        return terminal;
    }

    /**
     * Adds a line that stays.
     *
     * @param line of anybody; what a terminal would obey is replaced
     */
    public void say(String line) {
        print(terminal.paint(Colour.DIM, seconds()) + "  " + Printable.line(line));
    }

    /**
     * Adds lines that stay, without the time in front.
     *
     * @param lines of anybody; what a terminal would obey is replaced
     */
    public void print(List<String> lines) {
        lines.stream().map(Printable::line).forEach(this::print);
    }

    /**
     * Replaces the board.
     *
     * @param lines asked for on each redraw, from the display's own thread; must be quick
     */
    public void board(Supplier<List<String>> lines) {
        locked(() -> board = lines);
    }

    /** Removes the board and stops redrawing; lines that come later are still printed. May be called twice. */
    @Override
    public void close() {
        locked(() -> {
            if (!closed) {
                closed = true;
                redraw.shutdownNow();
                out.print(erase());
                out.flush();
            }
        });
    }

    private void print(String line) {
        locked(() -> {
            out.print(erase() + line + System.lineSeparator() + draw());
            out.flush();
        });
    }

    private void redraw() {
        locked(() -> {
            if (!closed) {
                out.print(erase() + draw());
                out.flush();
            }
        });
    }

    private String erase() {
        if (drawn == 0) {
            return "";
        }
        int lines = drawn;
        drawn = 0;
        return "\u001b[" + lines + "A\r\u001b[J" + WRAP_ON + SHOW_CURSOR;
    }

    private String draw() {
        List<String> lines = terminal.live() && !closed ? fitting(lines()) : List.of();
        drawn = lines.size();
        return lines.isEmpty()
                ? ""
                : HIDE_CURSOR + WRAP_OFF + String.join(System.lineSeparator(), lines) + System.lineSeparator();
    }

    /** A board higher than the terminal could not be drawn over; the cursor stands below it. */
    private List<String> fitting(List<String> lines) {
        if (lines.isEmpty()) {
            return lines;
        }
        int room = height.getAsInt() - 1;
        if (lines.size() <= room) {
            return lines;
        }
        var shown = new ArrayList<>(lines.subList(0, Math.max(0, room - 1)));
        shown.add("... " + (lines.size() - shown.size()) + " more lines");
        return shown;
    }

    /** A board that cannot be told right now must not end the redrawing. */
    private List<String> lines() {
        try {
            return board.get();
        } catch (RuntimeException e) {
            return List.of();
        }
    }

    private String seconds() {
        return String.format(
                Locale.ROOT, "%6.1fs", Duration.between(began, clock.instant()).toMillis() / 1000.0);
    }

    private void locked(Runnable action) {
        lock.lock();
        try {
            action.run();
        } finally {
            lock.unlock();
        }
    }
}
