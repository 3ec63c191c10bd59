package dev.tuna.examples.command;

import dev.tuna.api.ControlPlane;
import dev.tuna.api.CostReport;
import dev.tuna.examples.terminal.BillText;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code tuna cost}: the bill so far. */
@Command(
        name = "cost",
        mixinStandardHelpOptions = true,
        description =
                "Shows what a deployment, or each one, has cost so far and what the same traffic would have cost elsewhere.")
final class CostCommand extends ControlCommand {

    @Mixin
    private final Name name = new Name();

    CostCommand(Session session) {
        super(session);
    }

    @Override
    int run(ControlPlane plane) {
        List<CostReport> bills = name.value()
                .map(one -> List.of(plane.cost(one)))
                .orElseGet(() ->
                        plane.deployments().stream().map(one -> one.cost()).toList());
        List<String> lines =
                bills.stream().flatMap(bill -> BillText.lines(bill).stream()).toList();
        print(
                name.value().isPresent() ? bills.get(0) : bills,
                lines.isEmpty() ? List.of("Nothing is deployed.") : lines);
        return TunaCli.DONE;
    }
}
