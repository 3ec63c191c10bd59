package dev.tuna.provider.modal;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A deployment that was started, as it is noted on disk: the process goes on when this JVM ends, and the next one finds it
 * by this.
 *
 * @param tag what is being deployed
 * @param pid its process; 0 while it is being started
 * @param started when the operating system started it, so that another process with its number is not taken for it
 * @param begun when it was asked for
 * @param status how it ended, if whoever started it was there to see
 * @param url the web address that it told at its end
 */
record DeployRun(
        String tag, long pid, Optional<Instant> started, Instant begun, OptionalInt status, Optional<String> url) {

    private static final String FILE = "run.json";
    private static final Duration TOLERANCE = Duration.ofSeconds(10);

    DeployRun {
        Objects.requireNonNull(tag, "tag");
        Objects.requireNonNull(started, "started");
        Objects.requireNonNull(begun, "begun");
        Objects.requireNonNull(status, "status");
        Objects.requireNonNull(url, "url");
    }

    static DeployRun of(String tag, ProcessHandle process, Instant begun) {
        return new DeployRun(
                tag, process.pid(), process.info().startInstant(), begun, OptionalInt.empty(), Optional.empty());
    }

    DeployRun ended(int with, Optional<String> told) {
        return new DeployRun(tag, pid, started, begun, OptionalInt.of(with), told);
    }

    /** The process, while it runs. */
    Optional<ProcessHandle> process() {
        if (status.isPresent()) {
            return Optional.empty();
        }
        return ProcessHandle.of(pid).filter(ProcessHandle::isAlive).filter(this::isIt);
    }

    /** Each JVM reckons a start from when it believes the machine to have booted, which moves when clocks are set. */
    private boolean isIt(ProcessHandle handle) {
        Optional<Instant> at = handle.info().startInstant();
        boolean known = at.isPresent() && started.isPresent();
        return known ? Duration.between(at.get(), started.get()).abs().compareTo(TOLERANCE) < 0 : at.equals(started);
    }

    /** Reads the note in a directory; empty if there is none, or none that can be read. */
    static Optional<DeployRun> read(Path directory) throws IOException {
        try {
            JsonNode note = AppPlan.JSON.readTree(Files.readString(directory.resolve(FILE)));
            JsonNode status = note.path("status");
            return Optional.of(new DeployRun(
                    note.path("tag").asText(""),
                    note.path("pid").asLong(),
                    Optional.of(note.path("started").asText(""))
                            .filter(text -> !text.isEmpty())
                            .map(Instant::parse),
                    Instant.parse(note.path("begun").asText("")),
                    status.isInt() ? OptionalInt.of(status.asInt()) : OptionalInt.empty(),
                    Optional.of(note.path("url").asText("")).filter(text -> !text.isEmpty())));
        } catch (NoSuchFileException | JacksonException | DateTimeParseException e) {
            return Optional.empty();
        }
    }

    /** Writes the note, whole or not at all. */
    void write(Path directory) throws IOException {
        var note = AppPlan.JSON.createObjectNode();
        note.put("tag", tag).put("pid", pid).put("begun", begun.toString());
        started.ifPresent(at -> note.put("started", at.toString()));
        status.ifPresent(with -> note.put("status", with));
        url.ifPresent(told -> note.put("url", told));
        Path draft = directory.resolve(FILE + ".new");
        Files.writeString(draft, note.toString());
        Files.move(draft, directory.resolve(FILE), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
