package dev.tuna.examples.command;

import dev.tuna.api.PreflightReport;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.core.Tuna;
import dev.tuna.examples.terminal.Colour;
import java.util.ArrayList;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tuna check}: whether a provider could be used. */
@Command(
        name = "check",
        mixinStandardHelpOptions = true,
        description = "Checks credentials, quota and whatever else a provider needs; creates nothing.")
final class CheckCommand extends BriefCommand {

    @Option(names = "--provider", required = true, paramLabel = "NAME", description = "Serverless or spot provider.")
    private String provider = "";

    CheckCommand(Session session) {
        super(session);
    }

    @Override
    int run(Tuna tuna) {
        PreflightReport report = tuna.check(provider, Map.of());
        var lines = new ArrayList<String>();
        report.checks().forEach(check -> {
            lines.add(verdict(check) + "  " + check.name() + ": " + check.message());
            check.fix().ifPresent(fix -> lines.add("         fix: " + fix));
        });
        lines.add(report.passed() ? provider + " can be used." : provider + " cannot be used yet.");
        print(report, lines);
        return report.passed() ? TunaCli.DONE : TunaCli.FAILED;
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
