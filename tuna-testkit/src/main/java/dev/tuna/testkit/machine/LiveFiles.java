package dev.tuna.testkit.machine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Looks at the files of processes that go on writing, replacing and removing them meanwhile. */
public final class LiveFiles {

    private LiveFiles() {}

    /**
     * The regular files in a directory and all below it.
     *
     * @param directory the directory; it may be gone
     * @return what was there; each may be gone by now
     * @throws UncheckedIOException if something that is there cannot be read
     */
    public static List<Path> under(Path directory) {
        List<Path> found = new ArrayList<>();
        try {
            Files.walkFileTree(directory, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    if (attributes.isRegularFile()) {
                        found.add(file);
                    }
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFileFailed(Path file, IOException why) throws IOException {
                    return unlessGone(why);
                }

                @Override
                public FileVisitResult postVisitDirectory(Path ended, IOException why) throws IOException {
                    return unlessGone(why);
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return List.copyOf(found);
    }

    /** {@code why} is null for a directory that was read to its end. */
    private static FileVisitResult unlessGone(IOException why) throws IOException {
        if (why == null || why instanceof NoSuchFileException) {
            return FileVisitResult.CONTINUE;
        }
        throw why;
    }

    /**
     * Who may do what with a file.
     *
     * @param file the file
     * @return its permissions; empty if it is gone
     * @throws UncheckedIOException if they cannot be read
     */
    public static Optional<Set<PosixFilePermission>> permissions(Path file) {
        try {
            return Optional.of(Files.getPosixFilePermissions(file));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
