package dev.tuna.core.replay;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Finds the recorded traces, which are not part of the repository. */
final class Traces {

    private static final String DIRECTORY_PROPERTY = "tuna.shared";

    private Traces() {}

    static List<String> lines(String file) {
        String given = System.getProperty(DIRECTORY_PROPERTY, "");
        Path shared = given.isEmpty()
                ? Path.of("").toAbsolutePath().resolve("../../shared").normalize()
                : Path.of(given);
        Path path = shared.resolve("traces").resolve(file);
        if (!Files.isReadable(path)) {
            System.out.println("Replay skipped: there is no " + file + " in " + shared.resolve("traces") + "; set -D"
                    + DIRECTORY_PROPERTY);
        }
        assumeTrue(Files.isReadable(path), () -> "there is no " + path + "; set -D" + DIRECTORY_PROPERTY);
        try {
            return Files.readAllLines(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
