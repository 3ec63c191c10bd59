package dev.tuna.examples;

import dev.tuna.examples.command.Session;
import dev.tuna.examples.command.TunaCli;
import java.time.Duration;

/** The {@code tuna} command: {@code deploy}, {@code status}, {@code cost}, {@code list} and more; see {@code --help}. */
public final class TunaCommand {

    private static final Duration PATIENCE = Duration.ofSeconds(15);
    private static final String LEVEL = "org.slf4j.simpleLogger.defaultLogLevel";

    private TunaCommand() {}

    /**
     * Runs one command and ends the process with its exit code.
     *
     * @param arguments command and options
     */
    public static void main(String[] arguments) {
        if (System.getProperty(LEVEL) == null) {
            System.setProperty(LEVEL, "error");
        }
        System.exit(OrderlyExit.run(
                PATIENCE,
                interrupted -> TunaCli.run(Session.ofProcess(interrupted, new SignalInterrupts()), arguments)));
    }
}
