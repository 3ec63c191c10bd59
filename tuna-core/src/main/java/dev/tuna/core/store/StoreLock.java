package dev.tuna.core.store;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The right to control a store: an operating system lock on a file that names the holder's process. The lock vanishes
 * with its process, however that ends, so a dead holder never stands in the way. Thread-safe.
 */
final class StoreLock implements AutoCloseable {

    /**
     * Marks the stores that this JVM holds. POSIX drops all of a process's locks on a file as soon as the process closes
     * any descriptor of it, so a second open must be refused before it touches the file. The mark is a system property,
     * because copies of this class in several class loaders share those and nothing else.
     */
    private static final String HELD = "dev.tuna.store.held:";

    private final Path file;
    private final FileChannel channel;
    private final AtomicBoolean released = new AtomicBoolean();

    private StoreLock(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /**
     * Takes the lock.
     *
     * @param directory the store's directory, which exists
     * @throws StoreException {@code STORE_LOCKED} if somebody else has it
     */
    static StoreLock take(Path directory) throws IOException {
        Path file = directory.toRealPath().resolve("lock");
        String pid = Long.toString(ProcessHandle.current().pid());
        if (System.getProperties().putIfAbsent(HELD + file, pid) != null) {
            throw openHere(directory, pid);
        }
        try {
            return new StoreLock(file, lock(directory, file, pid));
        } catch (IOException | RuntimeException e) {
            System.getProperties().remove(HELD + file);
            throw e;
        }
    }

    private static FileChannel lock(Path directory, Path file, String pid) throws IOException {
        OwnerOnly.file(file);
        FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            FileLock lock = channel.tryLock();
            if (lock == null) {
                String holder = holder(channel);
                throw locked(
                        directory,
                        "process " + holder + " controls it",
                        "act through that process, as the tuna command and Tuna.running do, or end it (kill " + holder
                                + ", with -9 if it hangs): the next start takes over at once and nothing is lost");
            }
            channel.truncate(0);
            channel.write(ByteBuffer.wrap((pid + "\n").getBytes(StandardCharsets.US_ASCII)), 0);
            return channel;
        } catch (OverlappingFileLockException e) {
            channel.close();
            throw openHere(directory, pid);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /** What the holder wrote, which is nothing yet if it took the lock a moment ago. */
    private static String holder(FileChannel channel) throws IOException {
        ByteBuffer content = ByteBuffer.allocate(32);
        channel.read(content, 0);
        String pid = new String(content.array(), 0, content.position(), StandardCharsets.US_ASCII).strip();
        return pid.isEmpty() ? "(pid not known yet)" : pid;
    }

    private static StoreException openHere(Path directory, String pid) {
        return locked(
                directory,
                "this process (pid " + pid + ") has it open already",
                "close it there, or choose another directory for this one");
    }

    private static StoreException locked(Path directory, String who, String fix) {
        return new StoreException(
                ErrorCode.STORE_LOCKED, "store " + directory + " is in use: " + who + "; " + fix, null);
    }

    Path file() {
        return file;
    }

    @Override
    public void close() throws IOException {
        // Once: the next holder in this JVM may have set the same mark since.
        if (!released.compareAndSet(false, true)) {
            return;
        }
        try {
            channel.close();
        } finally {
            System.getProperties().remove(HELD + file);
        }
    }
}
