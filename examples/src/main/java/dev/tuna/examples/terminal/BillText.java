package dev.tuna.examples.terminal;

import dev.tuna.api.CostReport;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** A bill as a table, with what the same traffic would have cost elsewhere. Pure. */
public final class BillText {

    private BillText() {}

    /**
     * Writes a bill out.
     *
     * @param bill the bill
     * @return a line for each backend, the total, the money per hour now, and the comparison
     */
    public static List<String> lines(CostReport bill) {
        var table = new Table("TIER", "PROVIDER", "BACKEND", "BILLED", "COST", "");
        bill.lines()
                .forEach(line -> table.row(
                        line.tier().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                        line.provider(),
                        line.backend(),
                        seconds(line.billed()),
                        line.usd().map(Dollars::text).orElse("unknown"),
                        (line.running() ? "running" : "") + (line.estimated() ? " estimated" : "")));
        var lines = new ArrayList<String>(table.lines());
        lines.add(bill.deployment() + ": " + Dollars.text(bill.total())
                + (bill.complete() ? "" : " and what has no known price") + ", now "
                + Dollars.text(bill.usdPerHourNow()) + " per hour");
        lines.add("the same traffic all-serverless: " + compared(bill.allServerless(), bill.total()));
        lines.add("the same traffic all-on-demand:  " + compared(bill.allOnDemand(), bill.total()));
        return lines;
    }

    private static String compared(Optional<BigDecimal> elsewhere, BigDecimal total) {
        return elsewhere
                .map(usd -> "about " + Dollars.text(usd) + saved(usd, total))
                .orElse("unknown");
    }

    private static String saved(BigDecimal elsewhere, BigDecimal total) {
        if (elsewhere.signum() <= 0) {
            return "";
        }
        BigDecimal percent =
                elsewhere.subtract(total).multiply(BigDecimal.valueOf(100)).divide(elsewhere, 0, RoundingMode.HALF_UP);
        return switch (percent.signum()) {
            case 0 -> " (about the same)";
            case 1 -> " (" + percent + "% saved)";
            default -> " (" + percent.negate() + "% dearer here)";
        };
    }

    private static String seconds(Duration time) {
        return String.format(Locale.ROOT, "%.1fs", time.toMillis() / 1000.0);
    }
}
