package dev.tuna.examples.architecture;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What only the source tells: class files do not show blocks that take a monitor to the rules. */
final class Sources {

    private static final Pattern COMMENTS_AND_TEXT =
            Pattern.compile("(?s)/\\*.*?\\*/|//[^\\n]*|\"\"\".*?\"\"\"|\"(?:\\\\.|[^\"\\\\\\n])*+\"");

    private static final Pattern MONITOR = Pattern.compile("\\bsynchronized\\b");

    private Sources() {}

    static List<Path> withMonitors(Path sources) throws IOException {
        try (Stream<Path> files = Files.walk(sources)) {
            return files.filter(file -> file.toString().endsWith(".java"))
                    .filter(file -> usesMonitor(read(file)))
                    .toList();
        }
    }

    static boolean usesMonitor(String source) {
        return MONITOR.matcher(COMMENTS_AND_TEXT.matcher(source).replaceAll(" "))
                .find();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
