package dev.tuna.examples.command;

import dev.tuna.api.PreflightReport;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.core.Tuna;
import dev.tuna.examples.terminal.Colour;
import dev.tuna.examples.terminal.Printable;
import dev.tuna.examples.terminal.Table;
import java.util.ArrayList;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tuna check}: whether a provider could be used. */
@Command(
        name = "check",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Checks credentials, quota and whatever else a provider needs; creates nothing.")
final class CheckCommand extends BriefCommand {

    @Option(names = "--provider", required = true, paramLabel = "NAME", description = "Serverless or spot provider.")
    private String provider = "";

    @Option(
            names = "--gpu",
            paramLabel = "NAME",
            defaultValue = "L4",
            description = "The GPU that would be asked for (default: ${DEFAULT-VALUE}).")
    private String gpu = "L4";

    @Option(names = "--fix", description = "Mend what can be mended without harm, such as an API that is not enabled.")
    private boolean fix;

    @Mixin
    private final GoogleCloud googleCloud = new GoogleCloud();

    @Mixin
    private final Absent absent = new Absent();

    CheckCommand(Session session) {
        super(session);
    }

    @Override
    int run(Tuna tuna) {
        absent.refuse(spec);
        Map<String, String> options = provider.equals(GoogleCloud.PROVIDER) ? googleCloud.options() : Map.of();
        PreflightReport report = tuna.check(provider, gpu, options, fix);
        var lines = new ArrayList<String>();
        var table = new Table("PROVIDER", "CHECK", "OUTCOME", "MESSAGE", "FIX");
        report.checks().forEach(check -> {
            table.row(
                    provider,
                    check.name(),
                    check.outcome().name(),
                    check.message(),
                    check.fix().orElse(""));
            lines.add(verdict(check) + "  " + Printable.line(check.name() + ": " + check.message()));
            check.fix().ifPresent(how -> lines.add("         fix: " + Printable.line(how)));
        });
        lines.add(report.passed() ? provider + " can be used." : provider + " cannot be used yet.");
        print(report, table, lines);
        return report.passed() ? ExitCode.DONE : ExitCode.FAILED;
    }

    private String verdict(Check check) {
        Colour colour = switch (check.outcome()) {
            case PASSED, FIXED -> Colour.GREEN;
            case WARNING, UNKNOWN -> Colour.YELLOW;
            case FAILED -> Colour.RED;
        };
        String word = check.outcome().name();
        return session.terminal().paint(colour, word) + " ".repeat("WARNING".length() - word.length());
    }
}
