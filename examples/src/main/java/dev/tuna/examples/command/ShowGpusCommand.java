package dev.tuna.examples.command;

import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.Tier;
import dev.tuna.core.Tuna;
import dev.tuna.examples.terminal.Table;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tuna show-gpus}: what there is and what it costs. */
@Command(
        name = "show-gpus",
        mixinStandardHelpOptions = true,
        description = "Lists GPUs and their prices, the cheapest first.")
final class ShowGpusCommand extends BriefCommand {

    private static final Comparator<GpuOffer> BY_GPU_AND_PRICE = Comparator.comparing(GpuOffer::gpu)
            .thenComparing(GpuOffer::gpuCount)
            .thenComparing(offer -> offer.usdPerHour().isEmpty())
            .thenComparing(offer -> offer.usdPerHour().orElse(BigDecimal.ZERO))
            .thenComparing(GpuOffer::provider);

    @Option(names = "--gpu", paramLabel = "NAME", description = "This GPU only; case does not matter.")
    private Optional<String> gpu = Optional.empty();

    @Option(names = "--provider", paramLabel = "NAME", description = "This provider only.")
    private Optional<String> provider = Optional.empty();

    @Option(names = "--region", paramLabel = "REGION", description = "This region only.")
    private Optional<String> region = Optional.empty();

    @Option(names = "--spot", description = "Spot prices only.")
    private boolean spot;

    @Option(names = "--min-vram", paramLabel = "GIB", description = "GPUs with at least so much memory only.")
    private Optional<Integer> minVram = Optional.empty();

    @Option(names = "--max-price", paramLabel = "USD", description = "Nothing dearer than this per hour.")
    private Optional<BigDecimal> maxPrice = Optional.empty();

    ShowGpusCommand(Session session) {
        super(session);
    }

    @Override
    int run(Tuna tuna) {
        List<GpuOffer> offers =
                tuna.gpus(query()).stream().sorted(BY_GPU_AND_PRICE).toList();
        var table = new Table("GPU", "COUNT", "TIER", "PROVIDER", "REGION", "MACHINE", "USD/HOUR", "PRICE FROM");
        offers.forEach(offer -> table.row(
                offer.gpu(),
                String.valueOf(offer.gpuCount()),
                offer.tier().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                offer.provider(),
                offer.region().orElse("-"),
                offer.machineType().orElse("-"),
                offer.usdPerHour().map(ShowGpusCommand::price).orElse("unknown"),
                offer.source()));
        print(offers, offers.isEmpty() ? List.of("No offer fits.") : table.lines());
        return TunaCli.DONE;
    }

    private GpuQuery query() {
        return new GpuQuery(
                gpu,
                provider,
                region,
                spot ? EnumSet.of(Tier.SPOT) : Set.of(),
                minVram.map(OptionalInt::of).orElse(OptionalInt.empty()),
                maxPrice);
    }

    private static String price(BigDecimal usdPerHour) {
        return usdPerHour.setScale(4, RoundingMode.HALF_UP).toPlainString();
    }
}
