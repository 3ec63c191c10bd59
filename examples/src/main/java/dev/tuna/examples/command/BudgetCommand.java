package dev.tuna.examples.command;

import dev.tuna.api.Budget;
import dev.tuna.api.BudgetReport;
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
            "Shows the limits of money and what is used of them; with options, changes those of one deployment, or of all"
                    + " together, at once.",
            "What is not given stays as it is. Nothing is replaced or interrupted by it."
        })
final class BudgetCommand extends ControlCommand {

    @Mixin
    private final Name name = new Name();

    @Option(names = "--all", description = "The budget of all deployments together.")
    private boolean all;

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
        if (all && name.value().isPresent()) {
            throw usage("--all is the budget of all deployments together, and '"
                    + name.value().get() + "' is one of them: leave one of the two out");
        }
        boolean changes = lift || options.any();
        if (all) {
            return changes ? changeOverall(plane) : showOverall(plane);
        }
        if (!changes) {
            return name.value().isPresent() ? show(plane, live(plane)) : showEach(plane);
        }
        if (name.value().isEmpty()) {
            throw usage("NAME is missing: whose budget is to be changed? That of all together is changed with --all");
        }
        return change(plane);
    }

    private int changeOverall(ControlPlane plane) {
        Budget before = plane.overallBudget().limits();
        Budget budget = options.over(lift ? Budget.NONE : before);
        if (!agreed("all deployments together", before, budget)) {
            return ExitCode.BROKEN_OFF;
        }
        plane.setOverallBudget(budget);
        return showOverall(plane);
    }

    private boolean agreed(String whose, Budget before, Budget budget) {
        boolean agreed = yes.given()
                || session.agrees(
                        "Change the budget of " + whose + " from " + words(before) + " to " + words(budget) + "?");
        if (!agreed) {
            session.err().println("Nothing was changed.");
        }
        return agreed;
    }

    private int change(ControlPlane plane) {
        Deployment deployment = live(plane);
        DeployRequest before = deployment.request();
        Budget budget = options.over(lift ? Budget.NONE : before.budget());
        if (!agreed(deployment.name(), before.budget(), budget)) {
            return ExitCode.BROKEN_OFF;
        }
        boolean rolling = deployment.status().roll().isPresent();
        Deployment changed = plane.redeploy(before.toBuilder().budget(budget).build());
        if (rolling) {
            return show(plane, changed); // it holds; what was being rolled out before goes on
        }
        RollReport report = changed.rolled().join();
        if (report.outcome() == RollReport.Outcome.ABANDONED) {
            note("the budget was not changed: " + report.detail());
            return ExitCode.FAILED;
        }
        return show(plane, live(plane));
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

    private int showOverall(ControlPlane plane) {
        BudgetReport report = plane.overallBudget();
        Table table = table();
        report.uses().forEach(use -> row(table, "", use));
        print(report, table, lines(report));
        return ExitCode.DONE;
    }

    private static List<String> lines(BudgetReport report) {
        return lines("All together", report.uses());
    }

    /** What holds for all of them is told once. */
    private int showEach(ControlPlane plane) {
        List<Limits> all =
                plane.deployments().stream().map(each -> limits(plane, each)).toList();
        var lines = new ArrayList<>(lines(plane.overallBudget()));
        all.forEach(each -> lines.addAll(lines(
                each.name(),
                each.budgets().stream().filter(use -> !use.overall()).toList())));
        if (all.isEmpty()) {
            lines.add("Nothing is deployed.");
        }
        print(all, table(all), lines);
        return ExitCode.DONE;
    }

    private int show(ControlPlane plane, Deployment deployment) {
        Limits limits = limits(plane, deployment);
        print(limits, table(List.of(limits)), lines(limits.name(), limits.budgets()));
        return ExitCode.DONE;
    }

    private static Limits limits(ControlPlane plane, Deployment deployment) {
        return new Limits(deployment.name(), plane.cost(deployment.name()).budgets());
    }

    private static List<String> lines(String whose, List<BudgetUse> uses) {
        var lines = new ArrayList<String>();
        lines.add(Printable.line(whose) + (uses.isEmpty() ? ": no limit" : ""));
        uses.forEach(use -> lines.add("  " + CostText.budget(use)));
        return lines;
    }

    private static Table table(List<Limits> all) {
        Table table = table();
        all.forEach(each -> each.budgets().forEach(use -> row(table, each.name(), use)));
        return table;
    }

    private static Table table() {
        return new Table("NAME", "OVERALL", "PERIOD", "LIMIT USD", "USED USD", "COMPLETE", "ACTION", "HIT UNTIL");
    }

    private static void row(Table table, String name, BudgetUse use) {
        table.row(
                name,
                String.valueOf(use.overall()),
                use.period().name(),
                use.limitUsd().toPlainString(),
                use.usedUsd().toPlainString(),
                String.valueOf(use.complete()),
                use.action().name(),
                use.hitUntil().map(Object::toString).orElse(""));
    }

    /**
     * The limits of one deployment, those on all together included.
     *
     * @param name of the deployment
     * @param budgets what is used of each
     */
    record Limits(String name, List<BudgetUse> budgets) {}
}
