package dev.tuna.router.proxy;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Listens to what is logged, by whomever, at warn and error: Netty's leak reports are among it. What comes is passed on. */
final class LoggedErrors implements AutoCloseable {

    private final PrintStream before = System.err;
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();

    private LoggedErrors() {
        System.setErr(new PrintStream(written, true, StandardCharsets.UTF_8));
    }

    static LoggedErrors listen() {
        return new LoggedErrors();
    }

    /** What there is to complain of so far; traces of exceptions that nobody caught count. */
    List<String> lines() {
        return written.toString(StandardCharsets.UTF_8)
                .lines()
                .filter(line -> line.contains("] ERROR ")
                        || line.contains("] WARN ")
                        || line.contains("LEAK")
                        || line.startsWith("Exception in thread"))
                .limit(20)
                .toList();
    }

    @Override
    public void close() {
        System.setErr(before);
        before.print(written.toString(StandardCharsets.UTF_8));
    }
}
