package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/** Has shell scripts looked at, where there is a shellcheck; {@code apt-get install shellcheck} brings it. */
public final class Shellcheck {

    private Shellcheck() {}

    /** Fails with what it says, if it says anything. */
    public static void findsNothingIn(Path... scripts) throws IOException, InterruptedException {
        Optional<Path> shellcheck = Stream.of(
                        System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .map(each -> Path.of(each, "shellcheck"))
                .filter(Files::isExecutable)
                .findFirst();
        if (shellcheck.isEmpty()) {
            System.err.println("skipped: the command 'shellcheck' is missing");
        }
        assumeTrue(shellcheck.isPresent(), "the command 'shellcheck' is missing");
        var command = new ArrayList<>(List.of(shellcheck.get().toString(), "--shell=sh"));
        Stream.of(scripts).map(Path::toString).forEach(command::add);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
    }

    /** A script of the jar as a file. */
    public static Path copy(Class<?> beside, String name, Path directory) throws IOException {
        Path file = directory.resolve(name);
        try (InputStream in = Objects.requireNonNull(beside.getResourceAsStream(name), name)) {
            Files.copy(in, file);
        }
        return file;
    }
}
