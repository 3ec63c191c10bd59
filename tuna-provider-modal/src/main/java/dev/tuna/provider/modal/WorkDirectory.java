package dev.tuna.provider.modal;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.TunaException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Where scripts and logs of deployments are kept, so that a deployment that outlives its controller is found by the next
 * one. Nobody else may look into it. What is lost here costs a deployment that is under way, nothing more. Thread-safe.
 */
final class WorkDirectory {

    private static final String OWNER_ONLY = "rwx------";
    private static final Duration LOCK_LIMIT = Duration.ofMinutes(1);
    private static final long LOCK_LOOK_NANOS = 20_000_000;

    private final Path root;

    WorkDirectory(Path root) {
        this.root = root;
    }

    /** The directory of an app, made if it is not there. */
    Path of(String app) {
        try {
            makePrivate(root);
            Path directory = root.resolve(app);
            makePrivate(directory);
            return directory;
        } catch (IOException e) {
            throw failure("cannot be made: " + e.getMessage());
        }
    }

    private void makePrivate(Path directory) throws IOException {
        if (!isPosix(directory)) {
            Files.createDirectories(directory);
            return;
        }
        Set<PosixFilePermission> ownerOnly = PosixFilePermissions.fromString(OWNER_ONLY);
        FileAttribute<?> attribute = PosixFilePermissions.asFileAttribute(ownerOnly);
        if (Files.notExists(directory, LinkOption.NOFOLLOW_LINKS)) {
            Path parent = directory.toAbsolutePath().getParent();
            if (parent != null) {
                Files.createDirectories(parent);
            }
            try {
                Files.createDirectory(directory, attribute);
            } catch (FileAlreadyExistsException e) {
                // Somebody else was first; looked at below.
            }
        }
        // In a directory for everybody somebody may have made it before us, to read along.
        boolean ours = Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)
                && Files.getPosixFilePermissions(directory).equals(ownerOnly);
        if (!ours) {
            throw new IOException(directory + " must be a directory that only its owner may use (chmod 700)");
        }
        // Fails unless it is our own.
        Files.setPosixFilePermissions(directory, ownerOnly);
    }

    private static boolean isPosix(Path path) {
        return path.getFileSystem().supportedFileAttributeViews().contains("posix");
    }

    /** Runs alone among all threads and processes that use this directory. */
    <T> T alone(String app, Supplier<T> work) {
        Path file = of(app).resolve("lock");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            // Released with its channel.
            lock(channel);
            return work.get();
        } catch (IOException e) {
            throw failure("cannot be locked: " + e.getMessage());
        }
    }

    private static void lock(FileChannel channel) throws IOException {
        long deadline = System.nanoTime() + LOCK_LIMIT.toNanos();
        while (System.nanoTime() - deadline < 0 && !Thread.currentThread().isInterrupted()) {
            if (attempt(channel)) {
                return;
            }
            LockSupport.parkNanos(LOCK_LOOK_NANOS);
        }
        throw ProviderException.of(ModalProvider.NAME, "lock work directory")
                .code(ErrorCode.TIMEOUT)
                .retryable(true)
                .message("another process or thread of this installation is busy with this app")
                .build();
    }

    private static boolean attempt(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            // Held by another thread of this JVM.
            return false;
        }
    }

    /** The directories of apps that something was kept of. */
    List<Path> all() {
        if (!Files.isDirectory(root)) {
            return List.of();
        }
        try (Stream<Path> directories = Files.list(root)) {
            return directories.filter(Files::isDirectory).sorted().toList();
        } catch (IOException e) {
            throw failure("cannot be read: " + e.getMessage());
        }
    }

    /** Forgets what is kept of an app, but for its lock, which somebody may hold. */
    void clear(String app) {
        Path directory = root.resolve(app);
        if (!Files.isDirectory(directory)) {
            return;
        }
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                if (!file.equals(directory) && !file.endsWith("lock")) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException e) {
            throw failure("cannot be cleared: " + e.getMessage());
        }
    }

    private TunaException failure(String message) {
        return ProviderException.of(ModalProvider.NAME, "use work directory")
                .message("work_dir " + root + " " + message)
                .build();
    }
}
