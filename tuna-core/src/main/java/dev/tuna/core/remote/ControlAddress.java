package dev.tuna.core.remote;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.api.StoreException;
import dev.tuna.core.config.Wire;
import dev.tuna.core.store.OwnerOnly;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

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

    private static final Pattern LOOPBACK = Pattern.compile("127(\\.\\d{1,3}){3}|\\[::1\\]|\\[0(:0){6}:1\\]");

    /** As it is written, with the token in clear. */
    private record Written(int protocol, long pid, URI uri, String token) {

        /** Refuses what is not there. */
        Written {
            Objects.requireNonNull(uri, "uri");
            Objects.requireNonNull(token, "token");
        }

        /** The token goes to no other machine, whoever wrote the file. */
        boolean isOfThisMachine() {
            return !token.isEmpty()
                    && uri.getHost() != null
                    && LOOPBACK.matcher(uri.getHost()).matches();
        }
    }

    static ControlAddress ofThisProcess(URI uri, Secret token) {
        return new ControlAddress(PROTOCOL, ProcessHandle.current().pid(), uri, token);
    }

    /** Who controls a directory and still runs, as far as the directory tells. */
    static Optional<ControlAddress> in(Path directory) {
        Path file = directory.resolve(FILE);
        try {
            if (OwnerOnly.opensToOthers(file)) {
                throw new StoreException(
                        ErrorCode.STORE_UNWRITABLE,
                        "control file " + file
                                + " is open to other users of this machine; see who changed it, and end the"
                                + " process that controls the store: the next one makes the file anew",
                        null);
            }
            return Optional.of(Wire.MAPPER.readValue(Files.readAllBytes(file), Written.class))
                    .filter(Written::isOfThisMachine)
                    .map(found -> new ControlAddress(found.protocol, found.pid, found.uri, Secret.of(found.token)))
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

    boolean isOfAnotherProcess() {
        return pid != ProcessHandle.current().pid();
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
