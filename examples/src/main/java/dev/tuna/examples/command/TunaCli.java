package dev.tuna.examples.command;

import dev.tuna.api.TunaException;
import dev.tuna.examples.terminal.Printable;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.UnmatchedArgumentException;

/** The {@code tuna} command line. Results go to standard output, everything else to standard error. */
@Command(
        name = "tuna",
        description = "Serves an LLM from serverless and spot GPUs behind one OpenAI-compatible endpoint.",
        mixinStandardHelpOptions = true,
        version = "tuna 0.1.0",
        synopsisSubcommandLabel = "COMMAND",
        footer = {"", ExitCode.EXPLAINED})
public final class TunaCli implements Runnable {

    /** Says how much of Tuna's own log is shown. Read when the first logger of a class is made, which is later than the command line. */
    static final String LOG = "org.slf4j.simpleLogger.log.dev.tuna";

    @Option(
            names = {"-v", "--verbose"},
            scope = ScopeType.INHERIT,
            description = "Show the log, and where an error came from.")
    private boolean verbose;

    private final CommandLine line;

    private TunaCli(Session session) {
        line = new CommandLine(this)
                .addSubcommand(new DeployCommand(session))
                .addSubcommand(new StatusCommand(session))
                .addSubcommand(new CostCommand(session))
                .addSubcommand(new BudgetCommand(session))
                .addSubcommand(new ListCommand(session))
                .addSubcommand(new LogsCommand(session))
                .addSubcommand(new ShowGpusCommand(session))
                .addSubcommand(new CheckCommand(session))
                .addSubcommand(new DestroyCommand(session))
                .addSubcommand(new OrphansCommand(session))
                .addSubcommand(new HostCommand(session))
                .addSubcommand(new RouterCommand(session.environment(), session.interrupted()))
                .addSubcommand(new CompletionCommand())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setOut(new PrintWriter(session.out(), true, Charset.defaultCharset()))
                .setErr(new PrintWriter(session.err(), true, Charset.defaultCharset()))
                .setParameterExceptionHandler(TunaCli::wrongUsage)
                .setExecutionExceptionHandler(this::failed)
                .setExecutionStrategy(this::execute);
    }

    /**
     * Runs one command.
     *
     * @param session what it has around it
     * @param arguments as given after {@code tuna}
     * @return the exit code
     */
    public static int run(Session session, String... arguments) {
        return new TunaCli(session).line.execute(arguments);
    }

    /** Without a subcommand there is nothing to do but to say so. */
    @Override
    public void run() {
        throw new ParameterException(line, "a command is missing");
    }

    private int execute(ParseResult parsed) {
        if (verbose) {
            System.setProperty(LOG, "debug");
        }
        return new CommandLine.RunLast().execute(parsed);
    }

    private static int wrongUsage(ParameterException e, String[] arguments) {
        PrintWriter err = e.getCommandLine().getErr();
        err.println("tuna: " + firstLetterSmall(message(e)));
        UnmatchedArgumentException.printSuggestions(e, err);
        err.println("Try '" + e.getCommandLine().getCommandSpec().qualifiedName() + " --help'.");
        return ExitCode.USAGE;
    }

    private int failed(Exception e, CommandLine command, ParseResult parsed) {
        command.getErr().println("tuna: " + Printable.text(message(e)));
        if (verbose) {
            e.printStackTrace(command.getErr());
        }
        return e instanceof TunaException tuna ? ExitCode.of(tuna) : ExitCode.FAILED;
    }

    private static String message(Throwable e) {
        String message = e.getMessage();
        return message == null ? e.getClass().getSimpleName() : message;
    }

    private static String firstLetterSmall(String text) {
        boolean word = text.length() > 1 && Character.isLowerCase(text.charAt(1));
        return word ? Character.toLowerCase(text.charAt(0)) + text.substring(1) : text;
    }
}
