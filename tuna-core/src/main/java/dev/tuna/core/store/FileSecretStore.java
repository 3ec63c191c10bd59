package dev.tuna.core.store;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.api.StoreException;
import dev.tuna.spi.SecretStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Keeps secrets in a file that only its owner can read: {@code secrets.json} (0600), one JSON object from name to value.
 *
 * <p>The file is read anew on every look-up, so it may be edited by hand; it is replaced in one step, after its new
 * content is on disk. A file that others can read is refused. Thread-safe, among processes too: each change is made to what
 * the file has at the time, under a lock on {@code secrets.lock} beside it.
 */
public final class FileSecretStore implements SecretStore {

    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private static final String MUTEX = "secrets.lock";

    private final Path directory;
    private final Path file;

    /**
     * A store in a directory. Nothing is read or made yet; the directory (0700) and the file come with the first secret.
     *
     * @param directory where {@code secrets.json} is or will be
     */
    public FileSecretStore(Path directory) {
        this.directory = directory;
        this.file = directory.resolve("secrets.json");
    }

    @Override
    public Optional<Secret> get(SecretRef ref) {
        return Optional.ofNullable(read().get(ref.name())).map(Secret::of);
    }

    @Override
    public void put(SecretRef ref, Secret secret) {
        String value = secret.reveal();
        change(secrets -> !value.equals(secrets.put(ref.name(), value)));
    }

    @Override
    public void remove(SecretRef ref) {
        change(secrets -> secrets.remove(ref.name()) != null);
    }

    /**
     * Changes what there is.
     *
     * @param change makes it, and says whether there is anything to write
     */
    @SuppressWarnings("try") // the lock is held, not asked
    private void change(Predicate<SortedMap<String, String>> change) {
        // What changes nothing needs no right to write, and makes no directory.
        if (!change.test(read())) {
            return;
        }
        try {
            OwnerOnly.directory(directory);
            try (FileMutex unused = FileMutex.take(directory, MUTEX)) {
                SortedMap<String, String> secrets = read();
                if (change.test(secrets)) {
                    OwnerOnly.replace(file, JSON.writeValueAsBytes(secrets));
                }
            }
        } catch (IOException e) {
            throw StoreErrors.unwritable(file, e);
        }
    }

    @Override
    public List<SecretRef> names(String prefix) {
        return read().keySet().stream()
                .filter(name -> name.startsWith(prefix))
                .map(SecretRef::new)
                .toList();
    }

    private SortedMap<String, String> read() {
        try {
            if (OwnerOnly.opensToOthers(file)) {
                throw new StoreException(
                        ErrorCode.STORE_UNWRITABLE,
                        "secret file " + file + " is open to other users of this machine; run: chmod 600 " + file
                                + " (and replace the secrets in it, if others have been on the machine)",
                        null);
            }
            return parse(Files.readAllBytes(file));
        } catch (NoSuchFileException e) {
            return new TreeMap<>();
        } catch (IOException e) {
            throw new StoreException(
                    ErrorCode.STORE_UNWRITABLE,
                    "secret file " + file + " cannot be read; check its owner and permissions",
                    e);
        }
    }

    private SortedMap<String, String> parse(byte[] content) throws IOException {
        try {
            Map<String, String> secrets = JSON.readValue(content, new TypeReference<>() {});
            if (secrets == null || secrets.containsValue(null) || secrets.containsValue("")) {
                throw corrupt("it must be one JSON object from name to non-empty text");
            }
            return new TreeMap<>(secrets);
        } catch (JacksonException e) {
            // Neither its message nor the exception itself: both may quote the content.
            throw corrupt("it is not one JSON object from name to text"
                    + Optional.ofNullable(e.getLocation())
                            .map(at -> " (line " + at.getLineNr() + ")")
                            .orElse(""));
        }
    }

    private StoreException corrupt(String finding) {
        return new StoreException(
                ErrorCode.STORE_CORRUPT,
                "secret file " + file + " cannot be used: " + finding
                        + "; it was left as it is: mend it or move it away",
                null);
    }
}
