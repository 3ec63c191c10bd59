package dev.tuna.core.store;

import static java.nio.file.attribute.PosixFilePermission.OWNER_READ;
import static java.nio.file.attribute.PosixFilePermission.OWNER_WRITE;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;

/**
 * Files and directories that only their owner may look into. The permissions come with the creation, so that there is no
 * moment at which others could open them. On file systems without POSIX permissions the platform's own rules hold.
 */
final class OwnerOnly {

    private static final Set<PosixFilePermission> FILE = EnumSet.of(OWNER_READ, OWNER_WRITE);

    private OwnerOnly() {}

    /** Makes a directory (0700) and those above it, if missing. An existing one is left as it is. */
    static Path directory(Path path) throws IOException {
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

    /** Whether the group or others have any permission on a file. */
    static boolean opensToOthers(Path path) throws IOException {
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
