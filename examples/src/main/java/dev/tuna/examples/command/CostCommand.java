package dev.tuna.examples.command;

import dev.tuna.api.ControlPlane;
import dev.tuna.api.CostReport;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.Tier;
import dev.tuna.api.TunaException;
import dev.tuna.core.Tuna;
import dev.tuna.core.catalog.GpuNames;
import dev.tuna.examples.terminal.CostText;
import dev.tuna.examples.terminal.Display;
import dev.tuna.examples.terminal.Table;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tuna cost}: the bill, live on a terminal. */
@Command(
        name = "cost",
        mixinStandardHelpOptions = true,
        description = {
            "Shows what a deployment, or each one, has cost, costs now, and would have cost elsewhere.",
            "On a terminal, while a process hosts it, the figures are live until Ctrl-C."
        })
final class CostCommand extends ControlCommand {

    private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(2);

    private static final Pattern REPLICA = Pattern.compile("(r[0-9]+-)?replica-[0-9]+");

    @Mixin
    private final Name name = new Name();

    @Option(names = "--once", description = "Show the figures once, also on a terminal.")
    private boolean once;

    CostCommand(Session session) {
        super(session);
    }

    @Override
    int run(ControlPlane plane) {
        boolean live = !once && !isForPrograms() && session.terminal().live() && !(plane instanceof Tuna);
        if (live
                && (name.value().isEmpty()
                        || plane.deployment(name.value().get()).isPresent())) {
            live(plane);
        }
        List<CostReport> bills = bills(plane);
        List<String> lines = lines(plane, bills);
        print(
                name.value().isPresent() ? bills.get(0) : bills,
                table(bills),
                lines.isEmpty() ? List.of("Nothing is deployed.") : lines);
        return ExitCode.DONE;
    }

    private List<CostReport> bills(ControlPlane plane) {
        return name.value()
                .map(one -> List.of(plane.cost(one)))
                .orElseGet(
                        () -> plane.deployments().stream().map(Deployment::cost).toList());
    }

    private List<String> lines(ControlPlane plane, List<CostReport> bills) {
        var lines = new ArrayList<String>();
        for (CostReport bill : bills) {
            if (!lines.isEmpty()) {
                lines.add("");
            }
            lines.addAll(CostText.lines(
                    bill,
                    plane.status(bill.deployment()),
                    prices(plane, bill),
                    session.clock().instant()));
        }
        return lines;
    }

    /** Whoever bills it, at the price that is asked now; the bill itself has the prices of their time. */
    private static List<GpuOffer> prices(ControlPlane plane, CostReport bill) {
        return plane.deployment(bill.deployment())
                .map(Deployment::request)
                .map(request -> prices(plane::gpus, bill, request))
                .orElse(List.of());
    }

    /** The first offer of each who bills for the GPU. */
    static List<GpuOffer> prices(Function<GpuQuery, List<GpuOffer>> offers, CostReport bill, DeployRequest request) {
        String gpu = GpuNames.require(request.gpu()).name();
        var seen = new HashSet<String>();
        var prices = new ArrayList<GpuOffer>();
        try {
            for (CostReport.Line line : bill.lines()) {
                if (hasTheGpu(line) && seen.add(line.tier() + line.provider())) {
                    offers.apply(GpuQuery.gpu(gpu).ofProvider(line.provider()).onTerms(line.tier())).stream()
                            .filter(offer -> offer.gpuCount() == request.gpuCount())
                            .findFirst()
                            .ifPresent(prices::add);
                }
            }
        } catch (TunaException e) {
            // A bill without the prices of today is a bill all the same.
            return prices;
        }
        return prices;
    }

    /** The machine of a router is rented too, and has none. */
    private static boolean hasTheGpu(CostReport.Line line) {
        return line.tier() == Tier.SERVERLESS || REPLICA.matcher(line.backend()).matches();
    }

    private void live(ControlPlane plane) {
        try (Display display = new Display(session.out(), session.terminal(), session.clock())) {
            do {
                List<String> lines = lines(plane, bills(plane));
                display.board(() -> lines);
            } while (!session.isEndedWithin(BETWEEN_LOOKS));
        }
    }

    private static Table table(List<CostReport> bills) {
        var table = new Table("NAME", "TIER", "PROVIDER", "BACKEND", "BILLED SECONDS", "USD", "ESTIMATED", "RUNNING");
        bills.forEach(bill -> bill.lines()
                .forEach(line -> table.row(
                        bill.deployment(),
                        line.tier().name().toLowerCase(Locale.ROOT),
                        line.provider(),
                        line.backend(),
                        BigDecimal.valueOf(line.billed().toMillis(), 3).toPlainString(),
                        line.usd().map(BigDecimal::toPlainString).orElse(""),
                        String.valueOf(line.estimated()),
                        String.valueOf(line.running()))));
        return table;
    }
}
