package dev.tuna.core.crash;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** Counts what this process writes, and kills it with SIGKILL at the write that was chosen. Thread-safe. */
final class Death {

    /** Long enough for everything that does not wait for the write to get out before it. */
    private static final Duration SLOW_DISK = Duration.ofMillis(250);

    private final AtomicLong writes = new AtomicLong();
    private volatile Plan plan = Plan.NEVER;

    /** At which write. */
    private record Plan(long write, boolean after) {
        static final Plan NEVER = new Plan(0, false);
    }

    /** For {@link #plan}. */
    static String at(long write, boolean after) {
        return (after ? "after " : "before ") + write;
    }

    /** Never. */
    static final String NEVER = at(0, false);

    /** Counts from one again. */
    void plan(String text) {
        String[] words = text.split(" ");
        plan = new Plan(Long.parseLong(words[1]), words[0].equals("after"));
        writes.set(0);
    }

    long writes() {
        return writes.get();
    }

    /** Writes, unless the process is to die while the write hangs; nothing that waits for the write happens if it dies after. */
    void write(Runnable write) {
        Plan now = plan;
        boolean last = writes.incrementAndGet() == now.write();
        if (last && !now.after()) {
            LockSupport.parkNanos(SLOW_DISK.toNanos());
            die();
        }
        write.run();
        if (last) {
            die();
        }
    }

    /** Does not return: this thread gets no further, however long the signal takes. */
    private static void die() {
        try {
            new ProcessBuilder(
                            "kill",
                            "-KILL",
                            Long.toString(ProcessHandle.current().pid()))
                    .start();
            new CountDownLatch(1).await();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted while dying", e);
        }
    }
}
