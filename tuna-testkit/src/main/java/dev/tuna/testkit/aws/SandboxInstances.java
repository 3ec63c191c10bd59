package dev.tuna.testkit.aws;

import dev.tuna.testkit.machine.MachineSandbox;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Objects;

/**
 * Machines that run their user data for real, unprivileged, each in a {@link MachineSandbox} that listens on the instance's own
 * address and ends the instance when it shuts itself down. Immutable and thread-safe.
 */
public final class SandboxInstances implements InstanceRunner {

    private final Path directory;
    private final int port;
    private final List<String> engineArguments;

    /**
     * Describes them.
     *
     * @param directory where each gets a directory of its own, which stays
     * @param port the one port that is open on each
     * @param engineArguments further arguments of the model server stand-in that each starts
     */
    public SandboxInstances(Path directory, int port, String... engineArguments) {
        this.directory = Objects.requireNonNull(directory, "directory");
        this.port = port;
        this.engineArguments = List.of(engineArguments);
    }

    @Override
    public MachineSandbox boot(Machine machine) throws IOException {
        InstanceView view = machine.view();
        MachineSandbox sandbox = MachineSandbox.boot(
                Files.createDirectories(directory.resolve(view.id())),
                Base64.getMimeDecoder().decode(view.userData()),
                machine.metadata(),
                new InetSocketAddress(view.privateAddress(), port),
                engineArguments.toArray(String[]::new));
        sandbox.console().lines().forEach(machine::print);
        var unused = sandbox.off().thenRun(machine::shutDown);
        return sandbox;
    }
}
