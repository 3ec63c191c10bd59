package dev.tuna.spot.aws;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What is known of EC2 without asking it. GPUs, sizes and how many zones have a type are as {@code DescribeInstanceTypes} and
 * {@code DescribeInstanceTypeOfferings} told on the 2nd of August 2026; list prices are those of Linux in us-east-1 that AWS
 * published until the end of 2025, and are left out where they were not certain. Spot prices change by the hour and are never
 * built in.
 */
final class BuiltIn {

    static final Instant AS_OF = Instant.parse("2026-08-02T00:00:00Z");
    static final String SOURCE = "built-in table";

    /** Families that have GPUs worth asking for; fractions of a GPU (g6f, gr6f) show by their count of 0. */
    static final List<String> FAMILIES = List.of(
            "g4dn", "g5", "g6", "gr6", "g6e", "g7", "g7e", "p4d", "p4de", "p5", "p5e", "p5en", "p6-b200", "p6-b300");

    /** Name, GPU, how many, MiB each, virtual CPUs, GiB, network cards, dollars an hour. */
    private static final List<String> TABLE = List.of(
            "g4dn.xlarge T4 1 16384 4 16 1 0.526",
            "g4dn.2xlarge T4 1 16384 8 32 1 0.752",
            "g4dn.4xlarge T4 1 16384 16 64 1 1.204",
            "g4dn.8xlarge T4 1 16384 32 128 1 2.176",
            "g4dn.16xlarge T4 1 16384 64 256 1 4.352",
            "g4dn.12xlarge T4 4 16384 48 192 1 3.912",
            "g5.xlarge A10G 1 22888 4 16 1 1.006",
            "g5.2xlarge A10G 1 22888 8 32 1 1.212",
            "g5.4xlarge A10G 1 22888 16 64 1 1.624",
            "g5.8xlarge A10G 1 22888 32 128 1 2.448",
            "g5.16xlarge A10G 1 22888 64 256 1 4.096",
            "g5.12xlarge A10G 4 22888 48 192 1 5.672",
            "g5.24xlarge A10G 4 22888 96 384 1 8.144",
            "g5.48xlarge A10G 8 22888 192 768 1 16.288",
            "g6.xlarge L4 1 22888 4 16 1 0.8048",
            "g6.2xlarge L4 1 22888 8 32 1 0.9776",
            "g6.4xlarge L4 1 22888 16 64 1 1.3232",
            "g6.8xlarge L4 1 22888 32 128 1 2.0144",
            "g6.16xlarge L4 1 22888 64 256 1 3.3968",
            "g6.12xlarge L4 4 22888 48 192 1 4.6016",
            "g6.24xlarge L4 4 22888 96 384 1 6.6752",
            "g6.48xlarge L4 8 22888 192 768 1 13.3504",
            "gr6.4xlarge L4 1 22888 16 128 1 1.5392",
            "gr6.8xlarge L4 1 22888 32 256 1 2.4464",
            "g6e.xlarge L40S 1 45776 4 32 1 1.861",
            "g6e.2xlarge L40S 1 45776 8 64 1 2.24208",
            "g6e.4xlarge L40S 1 45776 16 128 1 3.00424",
            "g6e.8xlarge L40S 1 45776 32 256 1 4.52856",
            "g6e.16xlarge L40S 1 45776 64 512 1 7.57719",
            "g6e.12xlarge L40S 4 45776 48 384 1 10.49264",
            "g6e.24xlarge L40S 4 45776 96 768 2 15.06559",
            "g6e.48xlarge L40S 8 45776 192 1536 4 30.13118",
            "g7e.2xlarge RTX_PRO_6000 1 98304 8 64 1 -",
            "g7e.4xlarge RTX_PRO_6000 1 98304 16 128 1 -",
            "g7e.8xlarge RTX_PRO_6000 1 98304 32 256 1 -",
            "g7e.12xlarge RTX_PRO_6000 2 98304 48 512 1 -",
            "g7e.24xlarge RTX_PRO_6000 4 98304 96 1024 2 -",
            "g7e.48xlarge RTX_PRO_6000 8 98304 192 2048 4 -",
            "p4d.24xlarge A100_40GB 8 40960 96 1152 4 21.957642",
            "p4de.24xlarge A100_80GB 8 81920 96 1152 4 27.44705",
            "p5.4xlarge H100 1 81920 16 256 1 6.88",
            "p5.48xlarge H100 8 81920 192 2048 32 55.04",
            "p5e.48xlarge H200 8 144384 192 2048 32 -",
            "p5en.48xlarge H200 8 144384 192 2048 16 63.296",
            "p6-b200.48xlarge B200 8 183359 192 2048 8 113.9328",
            "p6-b300.48xlarge B300 8 275040 192 4096 17 -");

    /** Zones of a region by their letters, and in how many of them there is a family. Which ones differs by account. */
    private static final Map<String, String> ZONES =
            Map.of("us-east-1", "abcdef", "us-east-2", "abc", "us-west-2", "abcd");

    private static final List<String> COUNTED = List.of("us-east-1", "us-east-2", "us-west-2");

    private static final Map<String, List<Integer>> OFFERED = Map.ofEntries(
            Map.entry("g4dn", List.of(5, 3, 3)),
            Map.entry("g5", List.of(5, 3, 3)),
            Map.entry("g6", List.of(5, 3, 4)),
            Map.entry("gr6", List.of(5, 3, 4)),
            Map.entry("g6e", List.of(4, 3, 4)),
            Map.entry("g7e", List.of(2, 2, 4)),
            Map.entry("p4d", List.of(4, 3, 4)),
            Map.entry("p4de", List.of(2, 0, 3)),
            Map.entry("p5", List.of(6, 3, 4)),
            Map.entry("p5e", List.of(0, 3, 1)),
            Map.entry("p5en", List.of(2, 3, 3)),
            Map.entry("p6-b200", List.of(1, 3, 3)),
            Map.entry("p6-b300", List.of(1, 0, 1)));

    static final Map<String, MachineType> TYPES = read();

    private BuiltIn() {}

    private static Map<String, MachineType> read() {
        Map<String, MachineType> types = new LinkedHashMap<>();
        for (String line : TABLE) {
            String[] cells = line.split(" ");
            Optional<BigDecimal> price =
                    cells[7].equals("-") ? Optional.empty() : Optional.of(new BigDecimal(cells[7]));
            types.put(
                    cells[0],
                    new MachineType(
                            cells[0],
                            cells[1],
                            Integer.parseInt(cells[2]),
                            Integer.parseInt(cells[3]),
                            Integer.parseInt(cells[4]),
                            Integer.parseInt(cells[5]),
                            true,
                            Integer.parseInt(cells[6]),
                            price));
        }
        return Map.copyOf(types);
    }

    /** What is sold in a region; of one that is not in the table nothing is known. */
    static Offerings offerings(String region) {
        Map<String, List<String>> zones = new LinkedHashMap<>();
        for (MachineType type : TYPES.values()) {
            List<String> having = zones(region, type);
            if (!having.isEmpty()) {
                zones.put(type.name(), having);
            }
        }
        return new Offerings(TYPES, zones, AS_OF, SOURCE);
    }

    /** List prices of a region. Those of others than the table's differ by up to a third, and are not guessed. */
    static Prices listPrices(String region) {
        Map<String, BigDecimal> prices = new LinkedHashMap<>();
        if (COUNTED.contains(region)) {
            TYPES.values().forEach(type -> type.listUsdPerHour().ifPresent(usd -> prices.put(type.name(), usd)));
        }
        return new Prices(prices, AS_OF, SOURCE);
    }

    private static List<String> zones(String region, MachineType type) {
        int number = COUNTED.indexOf(region);
        List<Integer> offered = OFFERED.getOrDefault(type.family(), List.of());
        if (number < 0 || offered.isEmpty()) {
            return List.of();
        }
        String letters = ZONES.getOrDefault(region, "");
        List<String> zones = new ArrayList<>();
        for (int zone = 0; zone < offered.get(number); zone++) {
            zones.add(region + letters.charAt(zone));
        }
        return zones;
    }
}
