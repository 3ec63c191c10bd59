package dev.tuna.core.machine;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.List;
import java.util.Optional;

/**
 * What a router's machine runs. Immutable.
 *
 * @param uri where it lies
 * @param sha256 its checksum
 */
record Jar(URI uri, String sha256) {

    /** A little of everything. */
    private static final List<String> NEEDED = List.of(
            "dev/tuna/core/vm/RouterVmMain.class",
            "dev/tuna/router/RouterEngine.class",
            "io/netty/bootstrap/ServerBootstrap.class",
            "org/sqlite/JDBC.class");

    static Jar of(RouterVmOptions options) {
        URI uri = options.jar().orElseGet(Jar::running);
        if (!"file".equals(uri.getScheme())) {
            return new Jar(uri, options.sha256().orElseThrow(() -> wrong(uri + " needs its sha256 beside it")));
        }
        Path file = Path.of(uri);
        return new Jar(uri, checked(file, options.sha256()));
    }

    private static String checked(Path file, Optional<String> expected) {
        try (var jar = new URLClassLoader(new URL[] {file.toUri().toURL()}, ClassLoader.getPlatformClassLoader())) {
            for (String needed : NEEDED) {
                if (!file.toFile().isFile() || jar.findResource(needed) == null) {
                    throw wrong(file + " does not hold " + needed);
                }
            }
        } catch (IOException e) {
            throw wrong(file + " cannot be read: " + e.getMessage());
        }
        String found = reckoned(file);
        if (expected.isPresent() && !expected.get().equals(found)) {
            throw wrong(file + " has the checksum " + found + " and not " + expected.get());
        }
        return found;
    }

    private static String reckoned(Path file) {
        try {
            return Checksum.sha256(file);
        } catch (IOException e) {
            throw wrong(file + " cannot be read: " + e.getMessage());
        }
    }

    /** Where this program was started from: a jar that holds everything, when it is the command. */
    private static URI running() {
        CodeSource source = Jar.class.getProtectionDomain().getCodeSource();
        try {
            return source == null
                    ? URI.create("file:/nowhere")
                    : source.getLocation().toURI();
        } catch (URISyntaxException e) {
            throw wrong(source.getLocation() + " is no address");
        }
    }

    private static ConfigurationException wrong(String why) {
        return new ConfigurationException(
                ErrorCode.INVALID_REQUEST,
                "routerPlacement is 'SEPARATE_VM', and router VMs run one jar that holds Tuna, the providers and all that"
                        + " they need, but " + why + "; set it with RouterVmOptions.jar");
    }
}
