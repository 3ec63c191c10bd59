package dev.tuna.core.remote;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.api.StoreException;
import dev.tuna.core.store.OwnerOnly;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/**
 * Where a controlling process answers, as it says in the file {@code control.json} (0600) of its state directory.
 *
 * @param protocol what it speaks
 * @param pid the process
 * @param uri its control endpoint
 * @param token what it wants to hear
 */
record ControlAddress(int protocol, long pid, URI uri, Secret token) {

    /** Grows when a process that speaks an older one would be misunderstood. */
    static final int PROTOCOL = 1;

    private static final String FILE = "control.json";

    /** As it is written, with the token in clear. */
    private record Written(int protocol, long pid, URI uri, String token) {

        /** Refuses what is not there. */
        Written {
            Objects.requireNonNull(uri, "uri");
            Objects.requireNonNull(token, "token");
        }
    }

    static ControlAddress ofThisProcess(URI uri, Secret token) {
        return new ControlAddress(PROTOCOL, ProcessHandle.current().pid(), uri, token);
    }

    /** Who controls a directory and still runs, as far as the directory tells. */
    static Optional<ControlAddress> in(Path directory) {
        Path file = directory.resolve(FILE);
        try {
            Written found = Wire.MAPPER.readValue(Files.readAllBytes(file), Written.class);
            return Optional.of(new ControlAddress(found.protocol, found.pid, found.uri, Secret.of(found.token)))
                    .filter(ControlAddress::runs);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (JsonProcessingException e) {
            // Nobody to talk to, and not ours to mend: whoever takes the lock next replaces it. No cause: it quotes.
            return Optional.empty();
        } catch (IOException e) {
            throw new StoreException(
                    ErrorCode.STORE_UNWRITABLE,
                    "the address of the process that controls store " + directory + " cannot be read: " + e
                            + "; check the permissions of " + file,
                    e);
        }
    }

    private boolean runs() {
        return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
    }

    void writeTo(Path directory) throws IOException {
        OwnerOnly.directory(directory);
        OwnerOnly.replace(
                directory.resolve(FILE),
                Wire.MAPPER.writeValueAsBytes(new Written(protocol, pid, uri, token.reveal())));
    }

    static void removeFrom(Path directory) throws IOException {
        Files.deleteIfExists(directory.resolve(FILE));
    }
}
