package dev.tuna.core.ledger;

import dev.tuna.api.CostReport;
import dev.tuna.spi.LedgerEntry;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Adds the ledger up.
 *
 * <p>One line per backend, in the order in which they were first billed. Time of unknown price stands in a line of its own
 * beside the backend's priced time, so that neither hides the other. Pure.
 */
public final class Bill {

    private Bill() {}

    /**
     * Makes the report of one deployment.
     *
     * @param deployment its name
     * @param from when the bill begins
     * @param to up to when it is computed
     * @param ledger its entries, added up by backend or not
     * @param days the same entries by day
     * @param running what is being billed now and not yet entered
     * @param allServerless see {@link SameTraffic#allServerless}
     * @param allOnDemand see {@link SameTraffic#allOnDemand}
     * @return the report
     */
    public static CostReport report(
            String deployment,
            Instant from,
            Instant to,
            List<LedgerEntry> ledger,
            Days days,
            List<OpenSpan> running,
            Optional<BigDecimal> allServerless,
            Optional<BigDecimal> allOnDemand) {
        var sums = new LinkedHashMap<Key, Sum>();
        ledger.forEach(entry -> add(sums, entry, false));
        running.forEach(span -> add(sums, span.soFar(), span.isBilledNow()));
        List<CostReport.Line> lines = lines(sums);
        return new CostReport(
                deployment,
                from,
                to,
                lines,
                days.plus(running.stream().map(OpenSpan::soFar).toList()).lines(),
                lines.stream().flatMap(line -> line.usd().stream()).reduce(Money.usd(0), BigDecimal::add),
                lines.stream().allMatch(line -> line.usd().isPresent()),
                Money.usd(running.stream()
                        .mapToLong(span -> span.microUsdPerHourNow().orElse(0))
                        .reduce(0, Math::addExact)),
                allServerless,
                allOnDemand,
                List.of());
    }

    private static void add(Map<Key, Sum> sums, LedgerEntry entry, boolean running) {
        sums.merge(
                new Key(BilledBackend.of(entry), entry.microUsd().isPresent()),
                new Sum(entry.billed(), entry.microUsd().orElse(0), entry.estimated(), running),
                Sum::plus);
    }

    private static List<CostReport.Line> lines(Map<Key, Sum> sums) {
        var lines = new ArrayList<CostReport.Line>();
        sums.forEach((key, sum) -> lines.add(new CostReport.Line(
                key.who().tier(),
                key.who().provider(),
                key.who().backend(),
                sum.billed(),
                Money.usd(key.priced() ? OptionalLong.of(sum.microUsd()) : OptionalLong.empty()),
                sum.estimated(),
                sum.running())));
        return lines;
    }

    private record Key(BilledBackend who, boolean priced) {}

    private record Sum(Duration billed, long microUsd, boolean estimated, boolean running) {
        Sum plus(Sum other) {
            return new Sum(
                    billed.plus(other.billed),
                    Math.addExact(microUsd, other.microUsd),
                    estimated || other.estimated,
                    running || other.running);
        }
    }
}
