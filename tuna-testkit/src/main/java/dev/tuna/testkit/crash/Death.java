package dev.tuna.testkit.crash;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** Counts what this process writes, and kills it with SIGKILL at the write that was chosen. Thread-safe. */
public final class Death {

    /** Long enough for everything that does not wait for the write to get out before it. */
    private static final Duration SLOW_DISK = Duration.ofMillis(250);

    /** Never. */
    public static final String NEVER = at(0, false);

    private final AtomicLong writes = new AtomicLong();
    private volatile Plan plan = Plan.NEVER;

    /** Makes one that does not come before it is planned. */
    public Death() {}

    /** At which write. */
    private record Plan(long write, boolean after) {
        static final Plan NEVER = new Plan(0, false);
    }

    /**
     * Says when, for {@link #plan}.
     *
     * @param write at which write, from 1
     * @param after when the write is done, not while it hangs
     * @return one word and a number
     */
    public static String at(long write, boolean after) {
        return (after ? "after " : "before ") + write;
    }

    /**
     * Plans, and counts from one again.
     *
     * @param text when, as {@link #at} or {@link #NEVER} say it
     */
    public void plan(String text) {
        String[] words = text.split(" ");
        plan = new Plan(Long.parseLong(words[1]), words[0].equals("after"));
        writes.set(0);
    }

    /**
     * Writes since counting began.
     *
     * @return how many
     */
    public long writes() {
        return writes.get();
    }

    /**
     * Writes, unless the process is to die while the write hangs; nothing that waits for the write happens if it dies after.
     *
     * @param write the write
     */
    public void write(Runnable write) {
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
