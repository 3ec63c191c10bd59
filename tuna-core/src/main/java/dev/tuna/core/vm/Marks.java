package dev.tuna.core.vm;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Files by which the program on a router's machine, its supervisor, the machine's agent and the program's successor tell each
 * other how things are.
 *
 * @param kept a directory that outlives a reboot
 * @param run one that need not
 */
record Marks(Path kept, Path run) {

    /** Where state and secrets are. */
    Path state() {
        return kept.resolve("state");
    }

    /** While it is there, the machine never ends itself. */
    void needed() {
        write(kept.resolve("needed"));
    }

    void notNeeded() {
        delete(kept.resolve("needed"));
    }

    /** What the supervisor starts next. */
    Path nextJar() {
        return kept.resolve("next.jar");
    }

    /** Has the supervisor start what lies at {@link #nextJar()} beside the running program. */
    void next() {
        delete(run.resolve("waiting"));
        delete(run.resolve("serving"));
        write(run.resolve("next"));
    }

    void noNext() {
        delete(run.resolve("next"));
        delete(nextJar());
    }

    /** The successor has started, and waits for the store. */
    void waiting() {
        write(run.resolve("waiting"));
    }

    boolean isWaiting() {
        return Files.exists(run.resolve("waiting"));
    }

    /** The program that has the store serves. */
    void serving() {
        write(run.resolve("serving"));
    }

    boolean isServing() {
        return Files.exists(run.resolve("serving"));
    }

    /** What the machine's agent tells when the program does not come up. */
    void failure(String text) {
        try {
            Files.createDirectories(run);
            Files.writeString(run.resolve("failure"), text);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + run.resolve("failure"), e);
        }
    }

    private static void write(Path mark) {
        try {
            if (!Files.exists(mark)) {
                Files.createDirectories(mark.getParent());
                Files.writeString(mark, "");
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + mark, e);
        }
    }

    private static void delete(Path mark) {
        try {
            Files.deleteIfExists(mark);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete " + mark, e);
        }
    }
}
