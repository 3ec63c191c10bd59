package dev.tuna.core.store;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * One writer of a file at a time, among all processes of this machine: a lock on a file beside it, held for the moment that a
 * change takes. It vanishes with its process, however that ends.
 */
final class FileMutex implements AutoCloseable {

    /**
     * Marks the locks that this JVM holds, for the reason that {@link StoreLock} has: none may be opened twice at a time, or the
     * second one's end would be that of the first.
     */
    private static final String HELD = "dev.tuna.mutex.held:";

    private static final int ATTEMPTS = 2000;
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private final String mark;
    private final FileChannel channel;

    private FileMutex(String mark, FileChannel channel) {
        this.mark = mark;
        this.channel = channel;
    }

    /**
     * Waits for whoever is writing, for ten seconds or so.
     *
     * @param directory where the lock is, which exists
     * @param name the lock's file, made (0600) if missing, and left
     * @throws StoreException {@code STORE_UNWRITABLE} if the other one does not come to an end
     */
    static FileMutex take(Path directory, String name) throws IOException {
        Path file = directory.toRealPath().resolve(name);
        String mark = HELD + file;
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            if (System.getProperties().putIfAbsent(mark, "") == null) {
                FileChannel channel = lock(file, mark);
                if (channel.isOpen()) {
                    return new FileMutex(mark, channel);
                }
                System.getProperties().remove(mark);
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        throw new StoreException(
                ErrorCode.STORE_UNWRITABLE,
                "somebody has been writing for too long beside " + file
                        + "; look for a process that is stopped, and end it",
                null);
    }

    /** A channel that has the lock, or is closed because another process has it. */
    private static FileChannel lock(Path file, String mark) throws IOException {
        try {
            OwnerOnly.file(file);
            FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
            try {
                FileLock lock = channel.tryLock();
                if (lock == null) {
                    channel.close();
                }
                return channel;
            } catch (IOException | RuntimeException e) {
                channel.close();
                throw e;
            }
        } catch (IOException | RuntimeException e) {
            System.getProperties().remove(mark);
            throw e;
        }
    }

    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            System.getProperties().remove(mark);
        }
    }
}
