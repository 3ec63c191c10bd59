package dev.tuna.core.store;

import static java.nio.file.attribute.PosixFilePermission.OWNER_READ;
import static java.nio.file.attribute.PosixFilePermission.OWNER_WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;

/**
 * Files and directories that only their owner may look into. The permissions come with the creation, so that there is no
 * moment at which others could open them. On file systems without POSIX permissions the platform's own rules hold.
 */
public final class OwnerOnly {

    private static final Set<PosixFilePermission> FILE = EnumSet.of(OWNER_READ, OWNER_WRITE);

    private OwnerOnly() {}

    /**
     * Makes a directory (0700) and those above it, if missing. An existing one is left as it is.
     *
     * @param path the directory
     * @return the directory
     * @throws IOException if it cannot be made
     */
    public static Path directory(Path path) throws IOException {
        return Files.createDirectories(
                path, attributes(path, EnumSet.of(OWNER_READ, OWNER_WRITE, PosixFilePermission.OWNER_EXECUTE)));
    }

    /** Makes an empty file (0600), if missing. */
    static void file(Path path) throws IOException {
        try {
            Files.createFile(path, attributes(path, FILE));
        } catch (FileAlreadyExistsException e) {
            // Its content is what we came for; whether its permissions will do is for the caller to say.
        }
    }

    /**
     * Makes a file (0600) with a content, or gives an existing one a new content, in one step: whoever reads it finds the
     * old content or the new one, after a power cut too.
     *
     * @param file in a directory that exists
     * @param content what is in it afterwards
     * @throws IOException if it cannot be written; the old content stays
     */
    public static void replace(Path file, byte[] content) throws IOException {
        // Always of the same name: what a process that was killed in here has left, the next write takes away.
        Path next = file.resolveSibling(file.getFileName() + ".new");
        try {
            Files.deleteIfExists(next);
            file(next);
            writeDurably(next, content);
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            syncDirectory(file.resolveSibling("."));
        } finally {
            Files.deleteIfExists(next);
        }
    }

    private static void writeDurably(Path path, byte[] content) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
            ByteBuffer rest = ByteBuffer.wrap(content);
            while (rest.hasRemaining()) {
                channel.write(rest);
            }
            channel.force(true);
        }
    }

    /** Makes the new name itself durable; without this a power cut may bring back the old file. */
    private static void syncDirectory(Path directory) throws IOException {
        if (posix(directory)) {
            try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }

    /**
     * Whether the group or others have any permission on a file.
     *
     * @param path the file
     * @return true if it is not the owner's alone
     * @throws IOException if that cannot be read
     */
    public static boolean opensToOthers(Path path) throws IOException {
        return posix(path) && !FILE.containsAll(Files.getPosixFilePermissions(path));
    }

    private static FileAttribute<?>[] attributes(Path path, Set<PosixFilePermission> permissions) {
        return posix(path)
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(permissions)}
                : new FileAttribute<?>[0];
    }

    private static boolean posix(Path path) {
        return path.getFileSystem().supportedFileAttributeViews().contains("posix");
    }
}
