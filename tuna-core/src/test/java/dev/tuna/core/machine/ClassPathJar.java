package dev.tuna.core.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;

/** A jar without content that leads to everything on the class path of this process: good on this machine, and quick. */
final class ClassPathJar {

    private ClassPathJar() {}

    static Path make(Path directory, String name) throws IOException {
        Path jar = directory.resolve(name);
        var manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes()
                .put(
                        Attributes.Name.CLASS_PATH,
                        Arrays.stream(System.getProperty("java.class.path").split(":"))
                                .map(Path::of)
                                .filter(Files::exists)
                                .map(entry -> entry.toAbsolutePath().toUri().toString())
                                .collect(Collectors.joining(" ")));
        try (var out = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
            out.setComment(name);
        }
        return jar;
    }
}
