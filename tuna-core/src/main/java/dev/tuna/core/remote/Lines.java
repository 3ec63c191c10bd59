package dev.tuna.core.remote;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Lines on their way to somebody who may be slow. Whoever adds one never waits: a reader that has fallen too far behind
 * finds the stream ended, without a gap. Thread-safe.
 */
final class Lines {

    /** An empty line goes out when there has been no other for so long. */
    private static final long HEARTBEAT_SECONDS = 5;

    private static final int CAPACITY = 4096;

    private final BlockingQueue<String> queue = new ArrayBlockingQueue<>(CAPACITY);
    private volatile boolean ended;

    void add(String line) {
        if (ended || !queue.offer(line)) {
            ended = true;
        }
    }

    /** What was added so far still goes out. */
    void end() {
        ended = true;
        queue.offer("");
    }

    /** Writes lines until the end. */
    void writeTo(OutputStream out) throws IOException, InterruptedException {
        String line = "";
        while (true) {
            out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
            out.flush();
            if (ended && queue.isEmpty()) {
                return;
            }
            String next = queue.poll(HEARTBEAT_SECONDS, TimeUnit.SECONDS);
            line = next == null ? "" : next;
        }
    }
}
