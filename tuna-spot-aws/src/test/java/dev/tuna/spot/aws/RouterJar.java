package dev.tuna.spot.aws;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import javax.tools.ToolProvider;

/** A jar with a program that stands in for the router on a machine: compiled, packed, and of some version. */
record RouterJar(URI uri, String sha256) {

    private static final String SOURCE = "/dev/tuna/spot/aws/router/RouterVmMain.java.txt";

    static RouterJar make(Path directory, String version) {
        try {
            Path classes = directory.resolve("classes");
            if (!Files.exists(classes)) {
                compile(directory, classes);
            }
            Path jar = directory.resolve("router-" + version + ".jar");
            try (OutputStream out = Files.newOutputStream(jar);
                    JarOutputStream packed = new JarOutputStream(out);
                    Stream<Path> files = Files.walk(classes)) {
                for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                    add(packed, classes.relativize(file).toString(), Files.readAllBytes(file));
                }
                add(packed, "version", version.getBytes(StandardCharsets.UTF_8));
            }
            return of(jar);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Any file. */
    static RouterJar of(Path file) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
            return new RouterJar(file.toUri(), HexFormat.of().formatHex(digest));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void compile(Path directory, Path classes) throws IOException {
        Files.createDirectories(classes);
        Path source = directory.resolve("RouterVmMain.java");
        try (InputStream in = Objects.requireNonNull(RouterJar.class.getResourceAsStream(SOURCE))) {
            Files.write(source, in.readAllBytes());
        }
        var compiler = ToolProvider.getSystemJavaCompiler();
        boolean compiled = compiler.getTask(
                        null,
                        null,
                        null,
                        List.of("--release", "17", "-d", classes.toString()),
                        null,
                        compiler.getStandardFileManager(null, null, null).getJavaFileObjects(source))
                .call();
        if (!compiled) {
            throw new IllegalStateException("the program does not compile");
        }
    }

    private static void add(JarOutputStream out, String name, byte[] content) throws IOException {
        out.putNextEntry(new JarEntry(name));
        out.write(content);
        out.closeEntry();
    }
}
