package dev.tuna.testkit.machine;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;

/**
 * A jar without content that leads to everything on the class path of this process: on this machine it does what a
 * self-contained one does, and is made at once.
 */
public final class ClassPathJar {

    private ClassPathJar() {}

    /**
     * Makes one.
     *
     * @param file where, in a directory that exists; what is there is replaced
     * @return the same file
     * @throws IOException if it cannot be written
     */
    public static Path make(Path file) throws IOException {
        var manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes()
                .put(
                        Attributes.Name.CLASS_PATH,
                        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                                .map(Path::of)
                                .filter(Files::exists)
                                .map(entry -> entry.toAbsolutePath().toUri().toString())
                                .collect(Collectors.joining(" ")));
        new JarOutputStream(Files.newOutputStream(file), manifest).close();
        return file;
    }
}
