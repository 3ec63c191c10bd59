package dev.tuna.provider.cloudrun;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.GpuOffer;
import dev.tuna.api.Tier;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What an instance costs while it lives: its GPU, its CPUs and its memory. As Google's catalogue tells, or by a dated table.
 * Immutable.
 *
 * @param usdPerSecond part of an instance to its price, see {@link #key}
 * @param asOf when this was so
 * @param source {@code live} or where the table is from
 */
record Prices(Map<String, BigDecimal> usdPerSecond, Instant asOf, String source) {

    static final String LIVE = "live";

    private static final String CPU = "cpu";
    private static final String MEMORY = "memory";
    private static final String ANYWHERE = "*";
    private static final BigDecimal SECONDS = BigDecimal.valueOf(3600);
    private static final int CENTS_OF_CENTS = 4;

    /** List prices of us-central1 from the Cloud Billing catalogue, read in August 2026; other regions differ a little. */
    static final Prices BUILT_IN = builtIn();

    Prices {
        usdPerSecond = Map.copyOf(usdPerSecond);
    }

    private static Prices builtIn() {
        Map<String, BigDecimal> prices = new HashMap<>();
        prices.put(key("L4", false, ANYWHERE), new BigDecimal("0.0001867"));
        prices.put(key("L4", true, ANYWHERE), new BigDecimal("0.0002909"));
        prices.put(key("RTX_PRO_6000", false, ANYWHERE), new BigDecimal("0.00036522"));
        prices.put(key("RTX_PRO_6000", true, ANYWHERE), new BigDecimal("0.00056913"));
        prices.put(key(CPU, false, ANYWHERE), new BigDecimal("0.000018"));
        prices.put(key(MEMORY, false, ANYWHERE), new BigDecimal("0.000002"));
        return new Prices(
                prices,
                Instant.parse("2026-08-20T00:00:00Z"),
                "built-in table of 2026-08-20, list price of us-central1");
    }

    private static String key(String part, boolean zonalRedundancy, String region) {
        return part + (zonalRedundancy ? "+zonal" : "") + "@" + region;
    }

    /**
     * The prices that Google's catalogue tells, over this table for what it does not.
     *
     * @param skus the catalogue's entries for Cloud Run
     */
    Prices with(Iterable<JsonNode> skus, Instant now) {
        Map<String, BigDecimal> all = new HashMap<>(usdPerSecond);
        boolean found = false;
        for (JsonNode sku : skus) {
            Optional<String> part = part(sku.path("description").asText("").toLowerCase(Locale.ROOT));
            Optional<BigDecimal> price = perSecond(sku);
            if (part.isPresent() && price.isPresent()) {
                for (JsonNode region : sku.path("serviceRegions")) {
                    all.put(part.get() + "@" + region.asText(), price.get());
                    found = true;
                }
            }
        }
        return found ? new Prices(all, now, LIVE) : this;
    }

    /** Names of entries are prose; what is not recognised is left to the table. */
    private static Optional<String> part(String description) {
        if (description.contains("commit") || description.contains("job") || description.contains("worker pool")) {
            return Optional.empty();
        }
        if (description.contains("gpu") || description.contains("nvidia")) {
            boolean redundant = !description.contains("no zonal") && !description.contains("without zonal");
            String suffix = redundant ? "+zonal" : "";
            if (description.contains(" l4 ") || description.contains("l4 gpu")) {
                return Optional.of("L4" + suffix);
            }
            return description.contains("rtx") ? Optional.of("RTX_PRO_6000" + suffix) : Optional.empty();
        }
        if (!description.contains("instance-based")) {
            return Optional.empty();
        }
        if (description.contains("cpu")) {
            return Optional.of(CPU);
        }
        return description.contains("memory") ? Optional.of(MEMORY) : Optional.empty();
    }

    private static Optional<BigDecimal> perSecond(JsonNode sku) {
        JsonNode pricing = sku.path("pricingInfo").path(0).path("pricingExpression");
        BigDecimal price = BigDecimal.ZERO;
        for (JsonNode rate : pricing.path("tieredRates")) {
            JsonNode unit = rate.path("unitPrice");
            BigDecimal usd = new BigDecimal(
                            unit.path("units").asText("0").isEmpty()
                                    ? "0"
                                    : unit.path("units").asText("0"))
                    .add(BigDecimal.valueOf(unit.path("nanos").asLong(), 9));
            // The first tier may be free of charge.
            price = usd.signum() > 0 ? usd : price;
        }
        String per = pricing.path("usageUnit").asText("");
        boolean hourly = per.equals("h") || per.endsWith(".h");
        if (price.signum() == 0 || !(hourly || per.equals("s") || per.endsWith(".s"))) {
            return Optional.empty();
        }
        return Optional.of(hourly ? price.divide(SECONDS, 12, RoundingMode.HALF_UP) : price);
    }

    private Optional<BigDecimal> find(String part, boolean zonalRedundancy, String region) {
        return Optional.ofNullable(usdPerSecond.get(key(part, zonalRedundancy, region)))
                .or(() -> Optional.ofNullable(usdPerSecond.get(key(part, zonalRedundancy, ANYWHERE))));
    }

    /** What one instance costs. */
    Optional<BigDecimal> usdPerHour(
            String gpu, boolean zonalRedundancy, BigDecimal cpu, BigDecimal memoryGib, String region) {
        Optional<BigDecimal> forGpu = find(gpu, zonalRedundancy, region);
        Optional<BigDecimal> forCpu = find(CPU, false, region).map(cpu::multiply);
        Optional<BigDecimal> forMemory = find(MEMORY, false, region).map(memoryGib::multiply);
        return forGpu.flatMap(usd -> forCpu.flatMap(
                        more -> forMemory.map(rest -> usd.add(more).add(rest))))
                .map(usd -> usd.multiply(SECONDS).setScale(CENTS_OF_CENTS, RoundingMode.HALF_UP));
    }

    /** What an instance of the usual shape costs. */
    Optional<BigDecimal> usdPerHour(GpuType gpu, String region) {
        return usdPerHour(gpu.gpu(), false, BigDecimal.valueOf(gpu.cpu()), BigDecimal.valueOf(gpu.memoryGib()), region);
    }

    /** What can be had: one GPU, in each region that has it. */
    Stream<GpuOffer> offers() {
        return GpuType.ALL.stream().flatMap(gpu -> gpu.regions().stream().map(region -> offer(gpu, region)));
    }

    private GpuOffer offer(GpuType gpu, String region) {
        boolean live = source.equals(LIVE) && usdPerSecond.containsKey(key(gpu.gpu(), false, region));
        return new GpuOffer(
                CloudRunProvider.NAME,
                Tier.SERVERLESS,
                gpu.gpu(),
                1,
                Optional.of(region),
                Optional.of(gpu.accelerator() + ", " + gpu.cpu() + " CPU, " + gpu.memoryGib() + " GiB"),
                usdPerHour(gpu, region),
                live ? asOf : BUILT_IN.asOf,
                live ? source : BUILT_IN.source);
    }
}
