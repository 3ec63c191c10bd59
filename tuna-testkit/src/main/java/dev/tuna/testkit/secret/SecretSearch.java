package dev.tuna.testkit.secret;

import dev.tuna.testkit.machine.LiveFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Looks for secrets where none may be: each by its name and as what it may look like. Not thread-safe. */
public final class SecretSearch {

    /** Where secrets live. */
    private static final Set<String> HOMES = Set.of("secrets.json", "control.json");

    /** How a secret looks, and what it is called. */
    private final Map<String, String> forms = new TreeMap<>();

    private final List<String> hits = new ArrayList<>();

    /** Begins without a secret. */
    public SecretSearch() {}

    /**
     * Looks for one more from now on.
     *
     * @param name what it is called in hits
     * @param secret the secret
     */
    public void add(String name, String secret) {
        forms.put(secret, name);
        forms.put(
                Base64.getEncoder().withoutPadding().encodeToString(secret.getBytes(StandardCharsets.UTF_8)),
                name + " in Base64");
    }

    /**
     * How many secrets are looked for.
     *
     * @return their number
     */
    public int secrets() {
        return forms.size() / 2;
    }

    /**
     * Everything found so far, as secret and place.
     *
     * @return a snapshot
     */
    public List<String> hits() {
        return List.copyOf(hits);
    }

    /**
     * Searches a text.
     *
     * @param place what it is called in hits
     * @param text the text
     */
    public void text(String place, String text) {
        forms.forEach((form, name) -> {
            int at = text.indexOf(form);
            if (at >= 0) {
                String before = text.substring(Math.max(0, at - 80), at).replace('\n', ' ');
                hits.add(name + " in " + place + " after '" + before + "'");
            }
        });
    }

    /**
     * Searches lines, also over their ends.
     *
     * @param place what they are called in hits
     * @param lines the lines
     */
    public void lines(String place, List<String> lines) {
        text(place, String.join("\n", lines));
    }

    /**
     * Searches a file byte by byte, as one finds it with {@code strings}.
     *
     * @param file the file; it may be gone
     * @throws IOException if it cannot be read
     */
    public void file(Path file) throws IOException {
        try {
            text(file.getFileName().toString(), new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
        } catch (NoSuchFileException e) {
            // A process that ended, or a file that was replaced meanwhile.
        }
    }

    /**
     * Searches all files of a state directory but those that are there for secrets.
     *
     * @param directory the directory, with all below it
     * @throws IOException if it cannot be read
     */
    public void directory(Path directory) throws IOException {
        for (Path file : LiveFiles.under(directory)) {
            if (!HOMES.contains(file.getFileName().toString())) {
                file(file);
            }
        }
    }

    /**
     * Searches the command lines and environments of a process and all below it.
     *
     * @param top the process
     */
    public void processes(ProcessHandle top) {
        Stream.concat(Stream.of(top), top.descendants())
                .forEach(process -> look(process, List.of("cmdline", "environ")));
    }

    /**
     * Searches the command lines of a process and all below it, whose environments may hold secrets.
     *
     * @param top the process
     */
    public void commandLines(ProcessHandle top) {
        Stream.concat(Stream.of(top), top.descendants()).forEach(process -> look(process, List.of("cmdline")));
    }

    private void look(ProcessHandle process, List<String> parts) {
        for (String part : parts) {
            try {
                byte[] content = Files.readAllBytes(Path.of("/proc", Long.toString(process.pid()), part));
                text(part + " of process " + process.pid(), new String(content, StandardCharsets.UTF_8));
            } catch (IOException e) {
                // An ended process has no such file, or one that cannot be read ("No such process").
                if (process.isAlive()) {
                    throw new UncheckedIOException(e);
                }
            }
        }
    }
}
