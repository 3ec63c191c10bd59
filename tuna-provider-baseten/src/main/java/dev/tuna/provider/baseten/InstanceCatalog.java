package dev.tuna.provider.baseten;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.GpuOffer;
import dev.tuna.api.Tier;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The machines that Baseten has: as it told, or a dated table of what it told once. Immutable.
 *
 * @param types those with cards
 * @param asOf when this was so
 * @param source {@code live} or where the table is from
 */
record InstanceCatalog(List<InstanceType> types, Instant asOf, String source) {

    static final String LIVE = "live";

    private static final BigDecimal MINUTES = BigDecimal.valueOf(60);
    private static final int MIB = 1024;

    /** An H100 is sold in halves, too, which some answers call H100 all the same. */
    private static final int HALF_H100_GIB = 48;

    /** Baseten's names of the cards that have another canonical one. */
    private static final Map<String, String> NAMES = Map.of(
            "A100", "A100_80GB",
            "A100_40GB", "A100_40GB",
            "H100_40GB", "H100_MIG",
            "H100MIG", "H100_MIG",
            "H100_MIG", "H100_MIG",
            "RTX_PRO_6000", "RTX_PRO_6000");

    /** Names and prices of docs.baseten.co/deployment/resources, as of 2 September 2026. */
    static final InstanceCatalog BUILT_IN = builtIn();

    /** The cheapest first; of unknown price last. */
    private static final Comparator<InstanceType> CHEAPEST = Comparator.comparing(
                    (InstanceType type) -> type.usdPerHour().orElse(BigDecimal.valueOf(Long.MAX_VALUE)))
            .thenComparing(InstanceType::memoryGib, Comparator.reverseOrder())
            .thenComparing(InstanceType::sku);

    InstanceCatalog {
        types = List.copyOf(types);
    }

    /** Reads the answer of {@code GET /v1/instance_type_prices}; machines without cards are left out. */
    static InstanceCatalog live(JsonNode answer, Instant now) {
        List<InstanceType> types = new ArrayList<>();
        for (JsonNode priced : answer.path("instance_types")) {
            JsonNode type = priced.path("instance_type");
            int count = type.path("gpu_count").asInt();
            String card = type.path("gpu_type").asText("");
            if (count > 0 && !card.isEmpty() && !card.equals("null")) {
                int gib = type.path("gpu_memory_limit_mib").asInt() / MIB;
                types.add(new InstanceType(
                        sku(type),
                        type.path("name").asText(""),
                        canonical(card, gib),
                        count,
                        gib * count,
                        type.path("memory_limit_mib").asInt() / MIB,
                        perHour(priced.path("price"))));
            }
        }
        return new InstanceCatalog(types, now, LIVE);
    }

    /** Which of the two fields a deployment has to name is not described: the one that the documents have listed. */
    private static String sku(JsonNode type) {
        String id = type.path("id").asText("");
        String name = type.path("name").asText("");
        return BUILT_IN.sku(name).isPresent() && BUILT_IN.sku(id).isEmpty() ? name : id;
    }

    private static Optional<BigDecimal> perHour(JsonNode perMinute) {
        return perMinute.isNumber()
                ? Optional.of(perMinute.decimalValue().multiply(MINUTES).setScale(4, RoundingMode.HALF_UP))
                : Optional.empty();
    }

    private static String canonical(String card, int gib) {
        String plain = card.toUpperCase(Locale.ROOT).replace('-', '_').replaceFirst("^NVIDIA_", "");
        if (plain.equals("H100") && gib > 0 && gib < HALF_H100_GIB) {
            return "H100_MIG";
        }
        return Objects.requireNonNullElse(NAMES.get(plain), plain);
    }

    /** A machine by the name that a deployment asks for. */
    Optional<InstanceType> sku(String sku) {
        return types.stream().filter(type -> type.sku().equals(sku)).findFirst();
    }

    /** What a deployment runs on. */
    Optional<InstanceType> of(Deployment deployment) {
        return sku(deployment.instanceType())
                .or(() -> types.stream()
                        .filter(type -> type.name().equals(deployment.instanceType()))
                        .findFirst())
                .or(() -> deployment
                        .label(Labels.MACHINE)
                        .flatMap(label -> types.stream()
                                .filter(type -> Labels.plain(type.sku()).equals(label))
                                .findFirst()));
    }

    /** The machine to take for so many cards: the cheapest roomy one, or, if there is none, the one with most memory. */
    Optional<InstanceType> best(String gpu, int count) {
        List<InstanceType> fitting = types.stream()
                .filter(type -> type.gpu().equalsIgnoreCase(gpu) && type.gpuCount() == count)
                .sorted(CHEAPEST)
                .toList();
        Optional<InstanceType> roomy =
                fitting.stream().filter(InstanceType::isRoomy).findFirst();
        return roomy.isPresent() ? roomy : fitting.stream().max(Comparator.comparingInt(InstanceType::memoryGib));
    }

    /** The numbers of cards that a machine can have, in order; empty if there is no such card. */
    List<Integer> counts(String gpu) {
        return types.stream()
                .filter(type -> type.gpu().equalsIgnoreCase(gpu))
                .map(InstanceType::gpuCount)
                .distinct()
                .sorted()
                .toList();
    }

    /** Canonical names, sorted. */
    List<String> gpus() {
        return types.stream().map(InstanceType::gpu).distinct().sorted().toList();
    }

    /** What can be had: for each card and number of cards the machine that a deployment would get. */
    Stream<GpuOffer> offers() {
        return gpus().stream()
                .flatMap(gpu -> counts(gpu).stream()
                        .flatMap(count -> best(gpu, count).stream())
                        .map(this::offer));
    }

    private GpuOffer offer(InstanceType type) {
        return new GpuOffer(
                BasetenProvider.NAME,
                Tier.SERVERLESS,
                type.gpu(),
                type.gpuCount(),
                Optional.empty(),
                Optional.of(type.sku()),
                type.usdPerHour(),
                asOf,
                source);
    }

    private static InstanceCatalog builtIn() {
        List<InstanceType> types = new ArrayList<>();
        add(types, "T4", 1, 16, "T4x4x16", 16, "0.01052");
        add(types, "T4", 1, 16, "T4x8x32", 32, "0.01504");
        add(types, "L4", 1, 24, "L4:4x16", 16, "0.01414");
        add(types, "L4", 2, 24, "L4:2x24x96", 96, "0.04002");
        add(types, "L4", 4, 24, "L4:4x48x192", 192, "0.08003");
        add(types, "A10G", 1, 24, "A10Gx4x16", 16, "0.02012");
        add(types, "A10G", 1, 24, "A10Gx8x32", 32, "0.02424");
        add(types, "A10G", 2, 24, "A10G:2x24x96", 96, "0.05672");
        add(types, "A100_80GB", 1, 80, "A100:12x144", 144, "0.06667");
        add(types, "A100_80GB", 2, 80, "A100:2x24x288", 288, "0.13334");
        add(types, "H100_MIG", 1, 40, "H100MIG", 0, "0.06250");
        add(types, "H100", 1, 80, "H100", 0, "0.10833");
        add(types, "H100", 2, 80, "H100:2", 0, "0.21666");
        add(types, "H100", 4, 80, "H100:4", 0, "0.43332");
        add(types, "H100", 8, 80, "H100:8", 0, "0.86664");
        add(types, "H200", 1, 141, "H200", 0, "0.12500");
        add(types, "B200", 1, 180, "B200", 0, "0.16633");
        add(types, "RTX_PRO_6000", 1, 96, "RTX-PRO-6000", 0, "0.06667");
        return new InstanceCatalog(types, Instant.parse("2026-09-02T00:00:00Z"), "built-in table of 2026-09-02");
    }

    private static void add(
            List<InstanceType> types,
            String gpu,
            int count,
            int gpuGib,
            String sku,
            int memoryGib,
            String usdPerMinute) {
        BigDecimal perHour = new BigDecimal(usdPerMinute).multiply(MINUTES).setScale(4, RoundingMode.HALF_UP);
        types.add(new InstanceType(sku, sku, gpu, count, gpuGib * count, memoryGib, Optional.of(perHour)));
    }
}
