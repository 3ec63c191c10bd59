package dev.tuna.provider.runpod;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.GpuOffer;
import dev.tuna.api.Tier;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The cards that RunPod has for endpoints: as it told, or a dated table of what it told once. Immutable.
 *
 * @param types every type that is in a pool
 * @param asOf when this was so
 * @param source {@code live} or where the table is from
 */
record GpuCatalog(List<GpuType> types, Instant asOf, String source) {

    static final String LIVE = "live";

    private static final int MOST_CARDS = 8;

    /** RunPod's type ids of the cards that have a canonical name. */
    private static final Map<String, String> NAMES = Map.ofEntries(
            Map.entry("NVIDIA RTX A4000", "A4000"),
            Map.entry("NVIDIA RTX A5000", "A5000"),
            Map.entry("NVIDIA GeForce RTX 4090", "RTX4090"),
            Map.entry("NVIDIA L4", "L4"),
            Map.entry("NVIDIA A40", "A40"),
            Map.entry("NVIDIA RTX A6000", "A6000"),
            Map.entry("NVIDIA L40", "L40"),
            Map.entry("NVIDIA L40S", "L40S"),
            Map.entry("NVIDIA A100 80GB PCIe", "A100_80GB"),
            Map.entry("NVIDIA A100-SXM4-80GB", "A100_80GB"),
            Map.entry("NVIDIA H100 80GB HBM3", "H100"),
            Map.entry("NVIDIA H100 PCIe", "H100"),
            Map.entry("NVIDIA H100 NVL", "H100"),
            Map.entry("NVIDIA H200", "H200"),
            Map.entry("NVIDIA B200", "B200"),
            Map.entry("NVIDIA RTX PRO 6000 Blackwell Server Edition", "RTX_PRO_6000"),
            Map.entry("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", "RTX_PRO_6000"),
            Map.entry("NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition", "RTX_PRO_6000"));

    /** Flex prices from docs.runpod.io/serverless/pricing, pools from its list of GPU types, both as of August 2026. */
    static final GpuCatalog BUILT_IN = builtIn();

    GpuCatalog {
        types = List.copyOf(types);
    }

    /** Reads the answer of {@code GET /v2/catalog/gpus}; cards without a pool are not for endpoints. */
    static GpuCatalog live(JsonNode answer, Instant now) {
        List<GpuType> types = new ArrayList<>();
        for (JsonNode gpu : answer.path("gpus")) {
            String pool = gpu.path("pool").asText("");
            String id = gpu.path("id").asText("");
            if (!pool.isEmpty() && !pool.equals("null") && !id.isEmpty()) {
                types.add(new GpuType(
                        id,
                        name(id, gpu.path("name").asText(id)),
                        pool,
                        gpu.path("memory").asInt(),
                        price(gpu.path("price").path("serverless")),
                        Math.max(
                                1,
                                Math.max(
                                        gpu.path("maxCount").path("secure").asInt(),
                                        gpu.path("maxCount").path("community").asInt())),
                        !gpu.path("availability").asText("").equals("NONE"),
                        dataCenters(gpu.path("dataCenters"))));
            }
        }
        return new GpuCatalog(types, now, LIVE);
    }

    private static List<String> dataCenters(JsonNode listed) {
        List<String> ids = new ArrayList<>();
        for (JsonNode dataCenter : listed) {
            if (!dataCenter.path("availability").asText("").equals("NONE")) {
                ids.add(dataCenter.path("id").asText(""));
            }
        }
        return ids;
    }

    private static Optional<BigDecimal> price(JsonNode usd) {
        return usd.isNumber() ? Optional.of(usd.decimalValue()) : Optional.empty();
    }

    private static String name(String id, String displayName) {
        return Objects.requireNonNullElse(NAMES.get(id), displayName);
    }

    /** The types that are the card asked for. */
    List<GpuType> of(String gpu) {
        return types.stream().filter(type -> type.gpu().equalsIgnoreCase(gpu)).toList();
    }

    /** The types in a pool. */
    List<GpuType> in(String pool) {
        return types.stream().filter(type -> type.pool().equals(pool)).toList();
    }

    /** Canonical names, sorted. */
    List<String> gpus() {
        return types.stream().map(GpuType::gpu).distinct().sorted().toList();
    }

    /** The price of one card in the dearest of these pools; empty if no price is known. */
    Optional<BigDecimal> usdPerGpuHour(List<String> pools) {
        return dearest(pools.stream().flatMap(pool -> in(pool).stream()).toList());
    }

    /** The highest price of these cards; empty if no price is known. */
    static Optional<BigDecimal> dearest(List<GpuType> types) {
        return types.stream().flatMap(type -> type.usdPerHour().stream()).max(BigDecimal::compareTo);
    }

    /** What can be had, one offer for each number of cards. */
    Stream<GpuOffer> offers() {
        Map<String, List<GpuType>> byName = new LinkedHashMap<>();
        types.forEach(type ->
                byName.computeIfAbsent(type.gpu(), name -> new ArrayList<>()).add(type));
        return byName.values().stream().flatMap(this::offers);
    }

    private Stream<GpuOffer> offers(List<GpuType> same) {
        GpuType first = same.get(0);
        int most = same.stream().mapToInt(GpuType::maxCount).max().orElse(1);
        Optional<BigDecimal> price = dearest(same);
        return IntStream.rangeClosed(1, Math.min(most, MOST_CARDS))
                .mapToObj(count -> new GpuOffer(
                        RunPodProvider.NAME,
                        Tier.SERVERLESS,
                        first.gpu(),
                        count,
                        Optional.empty(),
                        Optional.of(first.pool()),
                        price.map(usd -> usd.multiply(BigDecimal.valueOf(count))),
                        asOf,
                        source));
    }

    private static GpuCatalog builtIn() {
        List<GpuType> types = new ArrayList<>();
        add(types, "AMPERE_16", 16, "0.00016", "NVIDIA RTX A4000", "NVIDIA RTX A4500");
        add(types, "AMPERE_16", 16, "0.00016", "NVIDIA RTX 4000 Ada Generation", "NVIDIA RTX 2000 Ada Generation");
        add(types, "AMPERE_24", 24, "0.00019", "NVIDIA L4", "NVIDIA RTX A5000", "NVIDIA GeForce RTX 3090");
        add(types, "ADA_24", 24, "0.00031", "NVIDIA GeForce RTX 4090");
        add(types, "AMPERE_48", 48, "0.00034", "NVIDIA RTX A6000", "NVIDIA A40");
        add(types, "ADA_48_PRO", 48, "0.00053", "NVIDIA L40", "NVIDIA L40S", "NVIDIA RTX 6000 Ada Generation");
        add(types, "AMPERE_80", 80, "0.00076", "NVIDIA A100 80GB PCIe", "NVIDIA A100-SXM4-80GB");
        add(types, "ADA_80_PRO", 80, "0.00116", "NVIDIA H100 80GB HBM3", "NVIDIA H100 PCIe", "NVIDIA H100 NVL");
        add(
                types,
                "BLACKWELL_96",
                96,
                "0.00111",
                "NVIDIA RTX PRO 6000 Blackwell Server Edition",
                "NVIDIA RTX PRO 6000 Blackwell Workstation Edition",
                "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition");
        add(types, "HOPPER_141", 141, "0.00155", "NVIDIA H200");
        add(types, "BLACKWELL_180", 180, "0.00240", "NVIDIA B200");
        return new GpuCatalog(types, Instant.parse("2026-08-20T00:00:00Z"), "built-in table of 2026-08-20");
    }

    private static void add(List<GpuType> types, String pool, int memoryGb, String usdPerSecond, String... ids) {
        BigDecimal perHour =
                new BigDecimal(usdPerSecond).multiply(BigDecimal.valueOf(3600)).setScale(3, RoundingMode.HALF_UP);
        for (String id : ids) {
            String display = id.replaceFirst("^NVIDIA (GeForce )?", "").replaceFirst(" Generation$", "");
            types.add(new GpuType(
                    id, name(id, display), pool, memoryGb, Optional.of(perHour), MOST_CARDS, true, List.of()));
        }
    }
}
