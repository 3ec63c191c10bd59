package dev.tuna.examples.command;

import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.Tier;
import dev.tuna.core.Tuna;
import dev.tuna.core.catalog.GpuComparison;
import dev.tuna.core.catalog.GpuNames;
import dev.tuna.core.catalog.GpuSpec;
import dev.tuna.examples.terminal.Colour;
import dev.tuna.examples.terminal.Table;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tuna show-gpus}: what there is and what it costs. */
@Command(
        name = "show-gpus",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Compares what a GPU costs per hour: serverless by provider, spot, on-demand, and what spot saves.",
            "With --gpu also its specification, the models that fit, and every offer with its regions."
        })
final class ShowGpusCommand extends BriefCommand {

    private static final int MOST_SHOWN = 3;
    private static final BigDecimal USABLE = new BigDecimal("0.90");
    private static final BigDecimal WORKING_GIB = BigDecimal.valueOf(2);
    private static final BigDecimal GIB = BigDecimal.valueOf(1L << 30);
    private static final BigDecimal BILLION = BigDecimal.valueOf(1_000_000_000L);

    @Option(names = "--gpu", paramLabel = "NAME", description = "This GPU only, in detail; case does not matter.")
    private Optional<String> gpu = Optional.empty();

    @Option(names = "--provider", paramLabel = "NAME", description = "This provider only.")
    private Optional<String> provider = Optional.empty();

    @Option(names = "--region", paramLabel = "REGION", description = "This region only.")
    private Optional<String> region = Optional.empty();

    @Option(names = "--spot", description = "Only GPUs that can be rented as spot, with cloud, region and machine.")
    private boolean spot;

    @Option(names = "--spots-cloud", paramLabel = "NAME", description = "With --spot: of this cloud only.")
    private Optional<String> spotsCloud = Optional.empty();

    @Option(names = "--min-vram", paramLabel = "GIB", description = "GPUs with at least so much memory only.")
    private Optional<Integer> minVram = Optional.empty();

    @Option(names = "--max-price", paramLabel = "USD", description = "Nothing dearer than this per hour.")
    private Optional<BigDecimal> maxPrice = Optional.empty();

    @Mixin
    private final Absent absent = new Absent();

    ShowGpusCommand(Session session) {
        super(session);
    }

    @Override
    int run(Tuna tuna) {
        absent.refuse(spec);
        Optional<GpuSpec> one = gpu.map(GpuNames::require);
        // Asked for its offers alone, a provider that there is not is named with the nearest.
        spotsCloud.ifPresent(name ->
                tuna.gpus(GpuQuery.gpu(one.map(GpuSpec::name).orElse("L4")).ofProvider(name)));
        List<GpuOffer> offers = tuna.gpus(query(one.map(GpuSpec::name))).stream()
                .filter(offer -> offer.tier() == Tier.SERVERLESS
                        || spotsCloud.map(offer.provider()::equals).orElse(true))
                .toList();
        List<GpuComparison> compared = GpuComparison.of(offers).stream()
                .filter(each -> !spot || each.spot().isPresent())
                .toList();
        if (one.isPresent()) {
            detail(one.get(), offers, compared);
        } else {
            Table table = spot ? spotTable(compared) : table(compared);
            print(compared, table, compared.isEmpty() ? List.of("No offer fits.") : painted(table));
        }
        silent(offers)
                .forEach(name -> note("no spot price of " + name + " is known here: 'tuna check --provider " + name
                        + "' tells what it needs"));
        return ExitCode.DONE;
    }

    /** Whoever rents out spot machines and says of none what it costs. */
    private static Set<String> silent(List<GpuOffer> offers) {
        var silent = new TreeSet<String>();
        var told = new TreeSet<String>();
        offers.stream()
                .filter(offer -> offer.tier() == Tier.SPOT)
                .forEach(offer -> (offer.usdPerHour().isPresent() ? told : silent).add(offer.provider()));
        silent.removeAll(told);
        return silent;
    }

    private GpuQuery query(Optional<String> name) {
        return new GpuQuery(
                name, provider, region, Set.of(), minVram.map(OptionalInt::of).orElse(OptionalInt.empty()), maxPrice);
    }

    /** One column for each serverless provider; the cheapest has a star. */
    private static Table table(List<GpuComparison> compared) {
        var providers = new TreeSet<String>();
        compared.forEach(each -> providers.addAll(each.serverless().keySet()));
        var header = new ArrayList<>(List.of("GPU", "VRAM"));
        providers.forEach(name -> header.add(name.toUpperCase(Locale.ROOT)));
        header.addAll(List.of("SPOT", "ON-DEMAND", "SPOT SAVES"));
        var table = new Table(header);
        for (GpuComparison each : compared) {
            var row = new ArrayList<>(List.of(each.gpu(), vram(each)));
            providers.forEach(name -> row.add(Optional.ofNullable(
                            each.serverless().get(name))
                    .map(offer -> price(offer)
                            + (each.cheapestServerless().equals(Optional.of(offer)) && providers.size() > 1 ? "*" : ""))
                    .orElse("-")));
            row.add(each.spot().map(ShowGpusCommand::price).orElse("-"));
            row.add(each.onDemand().map(ShowGpusCommand::price).orElse("-"));
            row.add(savings(each));
            table.row(row);
        }
        return table;
    }

    private static Table spotTable(List<GpuComparison> compared) {
        var table =
                new Table("GPU", "VRAM", "SPOT", "CLOUD", "REGION", "MACHINE", "ON-DEMAND", "SERVERLESS", "SPOT SAVES");
        compared.forEach(each -> {
            GpuOffer cheapest = each.spot().orElseThrow();
            table.row(
                    each.gpu(),
                    vram(each),
                    price(cheapest),
                    cheapest.provider(),
                    cheapest.region().orElse("-"),
                    cheapest.machineType().orElse("-"),
                    each.onDemand().map(ShowGpusCommand::price).orElse("-"),
                    each.cheapestServerless().map(ShowGpusCommand::price).orElse("-"),
                    savings(each));
        });
        return table;
    }

    private List<String> painted(Table table) {
        var lines = new ArrayList<String>();
        table.lines()
                .forEach(line -> lines.add(
                        session.terminal().coloured()
                                ? line.replaceAll(
                                        "\\$[0-9.]+\\*",
                                        session.terminal()
                                                .paint(Colour.GREEN, "$0")
                                                .replace("\\", "\\\\"))
                                : line));
        lines.add("US dollars per hour and GPU."
                + (table.lines().stream().anyMatch(line -> line.contains("*")) ? " * the cheapest serverless one." : "")
                + " 'tuna show-gpus --gpu NAME' has where each price is from.");
        return lines;
    }

    private void detail(GpuSpec gpuSpec, List<GpuOffer> offers, List<GpuComparison> compared) {
        var lines = new ArrayList<String>();
        lines.add(session.terminal().paint(Colour.BOLD, gpuSpec.name()) + "  " + gpuSpec.fullName() + ", "
                + gpuSpec.vramGib() + " GiB, " + gpuSpec.architecture() + ", compute capability "
                + gpuSpec.computeCapability());
        if (!gpuSpec.aliases().isEmpty()) {
            lines.add("also    " + String.join(", ", gpuSpec.aliases()));
        }
        lines.add("fits    models of up to about " + billions(gpuSpec, 2) + " billion parameters in 16 bit, "
                + billions(gpuSpec, 1) + " in 8 bit; less with long contexts");
        Table table = offerTable(offers);
        lines.addAll(offers.isEmpty() ? List.of("No offer fits.") : table.lines());
        compared.stream().findFirst().ifPresent(each -> lines.addAll(verdict(each)));
        var record = new LinkedHashMap<String, Object>();
        record.put("spec", gpuSpec);
        record.put("offers", offers);
        record.put("comparison", compared.stream().findFirst());
        print(record, table, lines);
    }

    /** Weights have what is usable, but for some room to work in. */
    private static String billions(GpuSpec spec, int bytes) {
        return BigDecimal.valueOf(spec.vramGib())
                .multiply(USABLE)
                .subtract(WORKING_GIB)
                .multiply(GIB)
                .divide(BILLION.multiply(BigDecimal.valueOf(bytes)), 0, RoundingMode.DOWN)
                .toPlainString();
    }

    /**
     * One line for each provider, number of GPUs, machine and price; regions of the same price share one, and so do all machines
     * of a provider whose price is not known.
     */
    private static Table offerTable(List<GpuOffer> offers) {
        var groups = offers.stream()
                .sorted(Comparator.comparing(GpuOffer::tier)
                        .thenComparing(offer -> offer.usdPerHour().isEmpty())
                        .thenComparing(offer -> offer.usdPerHour().orElse(BigDecimal.ZERO))
                        .thenComparing(GpuOffer::provider))
                .collect(Collectors.groupingBy(
                        offer -> List.of(
                                offer.tier(),
                                offer.provider(),
                                offer.usdPerHour().isEmpty() ? 0 : offer.gpuCount(),
                                offer.usdPerHour().isEmpty() ? Optional.empty() : offer.machineType(),
                                offer.usdPerHour(),
                                offer.source()),
                        LinkedHashMap::new,
                        Collectors.toList()));
        var table = new Table("TIER", "PROVIDER", "GPUS", "MACHINE", "USD/HOUR", "REGIONS", "PRICE FROM");
        groups.values().forEach(group -> {
            GpuOffer first = group.get(0);
            table.row(
                    first.tier().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                    first.provider(),
                    shown(group, MOST_SHOWN, offer -> Stream.of(String.valueOf(offer.gpuCount()))),
                    shown(group, 1, offer -> offer.machineType().stream()),
                    first.usdPerHour().map(ShowGpusCommand::dollars).orElse("unknown"),
                    shown(group, MOST_SHOWN, offer -> offer.region().stream()),
                    first.source());
        });
        return table;
    }

    /** The first few of what a group of offers has, and how many more there are. */
    private static String shown(List<GpuOffer> group, int most, Function<GpuOffer, Stream<String>> part) {
        List<String> names = group.stream().flatMap(part).distinct().sorted().toList();
        if (names.isEmpty()) {
            return "-";
        }
        String shown = names.stream().limit(most).collect(Collectors.joining(" "));
        return names.size() > most ? shown + " +" + (names.size() - most) : shown;
    }

    private static List<String> verdict(GpuComparison each) {
        var lines = new ArrayList<String>();
        each.cheapestServerless()
                .ifPresent(offer -> lines.add("cheapest serverless: " + offer.provider() + " at " + price(offer)));
        each.spot()
                .ifPresent(offer -> lines.add("cheapest spot:       " + offer.provider() + " at " + price(offer)
                        + offer.region().map(where -> " in " + where).orElse("")));
        each.savingsPercent()
                .ifPresent(percent -> lines.add(
                        percent >= 0
                                ? "spot saves " + percent + "% of the serverless price"
                                : "spot is " + -percent + "% dearer than serverless"));
        return lines;
    }

    private static String vram(GpuComparison each) {
        return each.vramGib() == 0 ? "-" : each.vramGib() + "";
    }

    private static String savings(GpuComparison each) {
        return each.savingsPercent().map(percent -> percent + "%").orElse("-");
    }

    private static String price(GpuOffer offer) {
        return GpuComparison.perGpu(offer).map(ShowGpusCommand::dollars).orElse("unknown");
    }

    private static String dollars(BigDecimal usd) {
        return "$"
                + usd.setScale(usd.compareTo(BigDecimal.ONE) < 0 ? 4 : 2, RoundingMode.HALF_UP)
                        .toPlainString();
    }
}
