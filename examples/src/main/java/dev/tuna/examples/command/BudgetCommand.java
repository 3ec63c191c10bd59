package dev.tuna.examples.command;

import dev.tuna.api.Budget;
import dev.tuna.api.BudgetUse;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ControlPlane;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.RollReport;
import dev.tuna.examples.terminal.CostText;
import dev.tuna.examples.terminal.Printable;
import dev.tuna.examples.terminal.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tuna budget}: the limits of money of what is deployed, and other limits for one deployment. */
@Command(
        name = "budget",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Shows the limits of money and what is used of them; with options, changes those of one deployment at once.",
            "What is not given stays as it is. Nothing is replaced or interrupted by it."
        })
final class BudgetCommand extends ControlCommand {

    @Mixin
    private final Name name = new Name();

    @Mixin
    private final BudgetOptions options = new BudgetOptions();

    @Option(names = "--lift", description = "Take away every limit that it has, before the options are looked at.")
    private boolean lift;

    @Mixin
    private final Yes yes = new Yes();

    BudgetCommand(Session session) {
        super(session);
    }

    @Override
    int run(ControlPlane plane) {
        if (!lift && !options.any()) {
            return show(plane, name.value().isPresent() ? List.of(live(plane)) : plane.deployments());
        }
        if (name.value().isEmpty()) {
            throw usage(
                    "NAME is missing: whose budget is to be changed? That of all together is an option of the process that"
                            + " hosts them (--total-budget-per-day and so on)");
        }
        Deployment deployment = live(plane);
        DeployRequest before = deployment.request();
        Budget budget = options.over(lift ? Budget.NONE : before.budget());
        String question = "Change the budget of " + deployment.name() + " from " + words(before.budget()) + " to "
                + words(budget) + "?";
        if (!yes.given() && !session.agrees(question)) {
            session.err().println("Nothing was changed.");
            return ExitCode.BROKEN_OFF;
        }
        RollReport report = plane.redeploy(before.toBuilder().budget(budget).build())
                .rolled()
                .join();
        if (report.outcome() == RollReport.Outcome.ABANDONED) {
            note("the budget was not changed: " + report.detail());
            return ExitCode.FAILED;
        }
        return show(plane, List.of(live(plane)));
    }

    private Deployment live(ControlPlane plane) {
        String wanted = name.value().orElseThrow();
        return plane.deployment(wanted).orElseThrow(() -> {
            // Tells the nearest names, if there never was one of this.
            var status = plane.status(wanted);
            return new ConfigurationException(
                    ErrorCode.NO_SUCH_DEPLOYMENT,
                    wanted + " is " + status.phase().name().toLowerCase(Locale.ROOT) + " and has no budget any more");
        });
    }

    private static String words(Budget budget) {
        var limits = new ArrayList<String>();
        budget.usdPerHour().ifPresent(usd -> limits.add("$" + usd.toPlainString() + " an hour"));
        budget.usdPerDay().ifPresent(usd -> limits.add("$" + usd.toPlainString() + " a day"));
        budget.usdPerMonth().ifPresent(usd -> limits.add("$" + usd.toPlainString() + " a month"));
        return limits.isEmpty()
                ? "no limit"
                : String.join(", ", limits) + " (then "
                        + budget.action().name().toLowerCase(Locale.ROOT).replace('_', '-') + ")";
    }

    private int show(ControlPlane plane, List<Deployment> deployments) {
        var table = new Table("NAME", "OVERALL", "PERIOD", "LIMIT USD", "USED USD", "COMPLETE", "ACTION", "HIT UNTIL");
        var lines = new ArrayList<String>();
        var records = new ArrayList<Limits>();
        for (Deployment deployment : deployments) {
            List<BudgetUse> uses = plane.cost(deployment.name()).budgets();
            records.add(new Limits(deployment.name(), uses));
            lines.add(Printable.line(deployment.name()) + (uses.isEmpty() ? ": no limit" : ""));
            uses.forEach(use -> {
                lines.add("  " + CostText.budget(use));
                table.row(
                        deployment.name(),
                        String.valueOf(use.overall()),
                        use.period().name(),
                        use.limitUsd().toPlainString(),
                        use.usedUsd().toPlainString(),
                        String.valueOf(use.complete()),
                        use.action().name(),
                        use.hitUntil().map(Object::toString).orElse(""));
            });
        }
        print(
                name.value().isPresent() ? records.get(0) : records,
                table,
                lines.isEmpty() ? List.of("Nothing is deployed.") : lines);
        return ExitCode.DONE;
    }

    /**
     * The limits of one deployment, those on all together included.
     *
     * @param name of the deployment
     * @param budgets what is used of each
     */
    record Limits(String name, List<BudgetUse> budgets) {}
}
