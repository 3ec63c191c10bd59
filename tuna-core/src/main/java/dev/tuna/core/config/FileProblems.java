package dev.tuna.core.config;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Gathers everything wrong with one file, each thing with its line. Confined to one thread. */
final class FileProblems {

    private final String source;
    private final List<Problem> found = new ArrayList<>();

    /** @param source the file's name, or what else the text came from */
    FileProblems(String source) {
        this.source = source;
    }

    void add(int line, String text) {
        found.add(new Problem(line, source + ", line " + line + ": " + text));
    }

    /** About the whole file. */
    void add(String text) {
        found.add(new Problem(0, source + ": " + text));
    }

    /** Throws the problems in the order of their lines. */
    void throwIfAny(String subject) {
        if (!found.isEmpty()) {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    subject,
                    found.stream()
                            .sorted(Comparator.comparingInt(Problem::line))
                            .map(Problem::text)
                            .toList());
        }
    }

    private record Problem(int line, String text) {}
}
