package dev.tuna.provider.modal;

import dev.tuna.api.GpuOffer;
import dev.tuna.api.Tier;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Modal's GPUs and what they cost: a dated table, with the rates that Modal told in its place where it did. CPU and memory
 * are billed on top by use and are in no price here. Immutable.
 *
 * @param gpus every GPU
 * @param asOf when the prices were so
 * @param source {@code live} or where the table is from
 */
record GpuTable(List<Gpu> gpus, Instant asOf, String source) {

    static final String LIVE = "live";

    private static final BigDecimal SECONDS = BigDecimal.valueOf(3600);

    /** From modal.com/pricing, unchanged in public copies from May to October 2026. */
    static final GpuTable BUILT_IN = new GpuTable(
            List.of(
                    gpu("T4", "T4", 16, 8, "0.000164"),
                    gpu("L4", "L4", 24, 8, "0.000222"),
                    gpu("A10G", "A10", 24, 4, "0.000306"),
                    gpu("L40S", "L40S", 48, 8, "0.000542"),
                    gpu("A100_40GB", "A100-40GB", 40, 8, "0.000583"),
                    gpu("A100_80GB", "A100-80GB", 80, 8, "0.000694"),
                    gpu("RTX_PRO_6000", "RTX-PRO-6000", 96, 8, "0.000842"),
                    gpu("H100", "H100", 80, 8, "0.001097"),
                    gpu("H200", "H200", 141, 8, "0.001261"),
                    gpu("B200", "B200", 180, 8, "0.001736"),
                    gpu("B300", "B300", 270, 8, "0.001972")),
            Instant.parse("2026-10-31T00:00:00Z"),
            "built-in table of October 2026");

    /** Copies the list. */
    GpuTable {
        gpus = List.copyOf(gpus);
    }

    /**
     * A GPU.
     *
     * @param name canonical name
     * @param modalName Modal's name
     * @param memoryGib memory of one
     * @param most how many a container can have
     * @param usdPerHour price of one
     */
    record Gpu(String name, String modalName, int memoryGib, int most, BigDecimal usdPerHour) {}

    private static Gpu gpu(String name, String modalName, int memoryGib, int most, String usdPerSecond) {
        return new Gpu(
                name,
                modalName,
                memoryGib,
                most,
                new BigDecimal(usdPerSecond).multiply(SECONDS).stripTrailingZeros());
    }

    /** A GPU by its canonical name or Modal's. */
    Optional<Gpu> find(String wanted) {
        return gpus.stream()
                .filter(gpu ->
                        gpu.name().equalsIgnoreCase(wanted) || gpu.modalName().equalsIgnoreCase(wanted))
                .findFirst();
    }

    /** Canonical names, in the order of their prices. */
    List<String> names() {
        return gpus.stream().map(Gpu::name).toList();
    }

    /** What one container costs; empty if the GPU has no price here. */
    Optional<BigDecimal> usdPerHour(String gpu, int count, Place place) {
        return find(gpu)
                .map(found ->
                        found.usdPerHour().multiply(BigDecimal.valueOf(count)).multiply(place.multiplier()));
    }

    /** What can be had, one offer for each number of GPUs. */
    Stream<GpuOffer> offers() {
        return gpus.stream()
                .flatMap(gpu -> IntStream.rangeClosed(1, gpu.most())
                        .mapToObj(count -> new GpuOffer(
                                ModalProvider.NAME,
                                Tier.SERVERLESS,
                                gpu.name(),
                                count,
                                Optional.empty(),
                                Optional.of(gpu.modalName() + (count == 1 ? "" : ":" + count)),
                                usdPerHour(gpu.name(), count, Place.ANY),
                                asOf,
                                source)));
    }

    /**
     * The same GPUs at the rates that Modal tells, where one of them is plainly that of a GPU.
     *
     * @param rates what {@code modal billing rates} tells, dollars an hour by a name of Modal's choice
     * @param now the time
     * @return this table if no rate is known for what it is
     */
    GpuTable priced(Map<String, BigDecimal> rates, Instant now) {
        Map<String, BigDecimal> byGpu = new TreeMap<>();
        rates.forEach((name, usd) -> byGpu.put(plain(name).replaceFirst("^gpu", ""), usd));
        List<Gpu> priced = gpus.stream()
                .map(gpu -> new Gpu(
                        gpu.name(),
                        gpu.modalName(),
                        gpu.memoryGib(),
                        gpu.most(),
                        Optional.ofNullable(byGpu.get(plain(gpu.modalName())))
                                .filter(usd -> usd.signum() > 0)
                                .orElse(gpu.usdPerHour())))
                .toList();
        boolean all = gpus.stream().allMatch(gpu -> byGpu.containsKey(plain(gpu.modalName())));
        return all ? new GpuTable(priced, now, LIVE) : this;
    }

    private static String plain(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "");
    }
}
