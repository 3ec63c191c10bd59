package dev.tuna.examples;

import dev.tuna.examples.command.RouterCommand;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import picocli.CommandLine;

/** The router alone, in front of given URLs: no cloud, no deployment, no state. The same as {@code tuna router}. */
public final class RouterMain {

    private static final Duration PATIENCE = Duration.ofSeconds(15);

    private RouterMain() {}

    /**
     * Runs until the process is told to end.
     *
     * @param arguments see {@code --help}
     */
    public static void main(String[] arguments) {
        System.exit(OrderlyExit.run(
                PATIENCE,
                interrupted -> commandLine(System.getenv(), interrupted).execute(arguments)));
    }

    static CommandLine commandLine(Map<String, String> environment, CompletableFuture<Void> interrupted) {
        return new CommandLine(new RouterCommand(environment, interrupted))
                .setExecutionExceptionHandler((e, command, parsed) -> {
                    command.getErr().println("router: " + e.getMessage());
                    return CommandLine.ExitCode.SOFTWARE;
                });
    }
}
