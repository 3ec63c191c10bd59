package dev.tuna.testkit.vllm;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** Waits for the end of standard input, which a pipe reports however the process at its other end died. */
public final class StdinWatch {

    private StdinWatch() {}

    /**
     * Watches from a daemon thread of its own; what is read is thrown away.
     *
     * @param action is run once, when standard input has ended or cannot be read
     */
    public static void onEof(Runnable action) {
        Thread thread = new Thread(() -> drain(System.in, action), "tuna-stdin-watch");
        thread.setDaemon(true);
        thread.start();
    }

    private static void drain(InputStream in, Runnable action) {
        try {
            in.transferTo(OutputStream.nullOutputStream());
        } catch (IOException e) {
            // The same as the end: nobody is there any more.
        }
        action.run();
    }
}
