package dev.tuna.testkit.aws;

import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The types that there are, and where. GPUs, memory and zones are those that EC2 told in August 2026; prices are near those of
 * us-east-1 and the same everywhere. Besides machines for models there are some that only look so: without GPU, with part of
 * one, of another maker, with another kind of processor.
 */
final class MachineTypes {

    private static final String NVIDIA = "NVIDIA";

    /** Name, GPU, how many, MiB each, virtual CPUs, GiB, GB of local disk, dollars an hour. */
    private static final List<String> TABLE = List.of(
            "g4dn.xlarge|T4|1|16384|4|16|125|0.526",
            "g4dn.2xlarge|T4|1|16384|8|32|225|0.752",
            "g4dn.4xlarge|T4|1|16384|16|64|225|1.204",
            "g4dn.8xlarge|T4|1|16384|32|128|900|2.176",
            "g4dn.16xlarge|T4|1|16384|64|256|900|4.352",
            "g4dn.12xlarge|T4|4|16384|48|192|900|3.912",
            "g5.xlarge|A10G|1|22888|4|16|250|1.006",
            "g5.2xlarge|A10G|1|22888|8|32|450|1.212",
            "g5.4xlarge|A10G|1|22888|16|64|600|1.624",
            "g5.8xlarge|A10G|1|22888|32|128|900|2.448",
            "g5.16xlarge|A10G|1|22888|64|256|1900|4.096",
            "g5.12xlarge|A10G|4|22888|48|192|3800|5.672",
            "g5.24xlarge|A10G|4|22888|96|384|3800|8.144",
            "g5.48xlarge|A10G|8|22888|192|768|7600|16.288",
            "g6.xlarge|L4|1|22888|4|16|250|0.8048",
            "g6.2xlarge|L4|1|22888|8|32|450|0.9776",
            "g6.4xlarge|L4|1|22888|16|64|600|1.3232",
            "g6.8xlarge|L4|1|22888|32|128|900|2.0144",
            "g6.16xlarge|L4|1|22888|64|256|1880|3.3968",
            "g6.12xlarge|L4|4|22888|48|192|3760|4.6016",
            "g6.24xlarge|L4|4|22888|96|384|3760|6.6752",
            "g6.48xlarge|L4|8|22888|192|768|7520|13.3504",
            "gr6.4xlarge|L4|1|22888|16|128|600|1.5392",
            "gr6.8xlarge|L4|1|22888|32|256|900|2.4464",
            "g6e.xlarge|L40S|1|45776|4|32|250|1.861",
            "g6e.2xlarge|L40S|1|45776|8|64|450|2.24208",
            "g6e.4xlarge|L40S|1|45776|16|128|600|3.00424",
            "g6e.8xlarge|L40S|1|45776|32|256|900|4.52856",
            "g6e.16xlarge|L40S|1|45776|64|512|1900|7.57719",
            "g6e.12xlarge|L40S|4|45776|48|384|3800|10.49264",
            "g6e.24xlarge|L40S|4|45776|96|768|3800|15.06559",
            "g6e.48xlarge|L40S|8|45776|192|1536|7600|30.13118",
            "g7e.2xlarge|RTX PRO Server 6000|1|98304|8|64|1900|3.3631",
            "g7e.4xlarge|RTX PRO Server 6000|1|98304|16|128|1900|4.1262",
            "g7e.8xlarge|RTX PRO Server 6000|1|98304|32|256|1900|5.6524",
            "g7e.12xlarge|RTX PRO Server 6000|2|98304|48|512|3800|8.2861",
            "g7e.24xlarge|RTX PRO Server 6000|4|98304|96|1024|7600|16.5722",
            "g7e.48xlarge|RTX PRO Server 6000|8|98304|192|2048|15200|33.1444",
            "p4d.24xlarge|A100|8|40960|96|1152|8000|21.95764",
            "p4de.24xlarge|A100|8|81920|96|1152|8000|27.44705",
            "p5.4xlarge|H100|1|81920|16|256|3800|6.88",
            "p5.48xlarge|H100|8|81920|192|2048|30400|55.04",
            "p5e.48xlarge|H200|8|144384|192|2048|30400|60.054",
            "p5en.48xlarge|H200|8|144384|192|2048|30400|63.296",
            "p6-b200.48xlarge|B200|8|183359|192|2048|30400|113.9328",
            "p6-b300.48xlarge|B300|8|275040|192|4096|30400|142.416",
            "g6f.xlarge|L4|0|2861|4|16|100|0.2012",
            "m5.large||0|0|2|8|0|0.096",
            "t3.micro||0|0|2|1|0|0.0104",
            "t3.small||0|0|2|2|0|0.0208");

    /** Family or type to the number of zones that have it in each region, in the order of {@link AwsRegion#NAMES}. */
    private static final Map<String, int[]> OFFERED = Map.ofEntries(
            Map.entry("g4dn", new int[] {5, 3, 3}),
            Map.entry("g5", new int[] {5, 3, 3}),
            Map.entry("g6", new int[] {5, 3, 4}),
            Map.entry("gr6", new int[] {5, 3, 4}),
            Map.entry("g6f", new int[] {5, 3, 4}),
            Map.entry("g6e", new int[] {4, 3, 4}),
            Map.entry("g7e", new int[] {2, 2, 4}),
            Map.entry("p4d", new int[] {4, 3, 4}),
            Map.entry("p4de", new int[] {2, 0, 3}),
            Map.entry("p5", new int[] {6, 3, 4}),
            Map.entry("p5e", new int[] {0, 3, 1}),
            Map.entry("p5en", new int[] {2, 3, 3}),
            Map.entry("p6-b200", new int[] {1, 3, 3}),
            Map.entry("p6-b300", new int[] {1, 0, 1}));

    private static final Map<String, MachineType> ALL = read();

    private MachineTypes() {}

    private static Map<String, MachineType> read() {
        Map<String, MachineType> all = new LinkedHashMap<>();
        for (String line : TABLE) {
            String[] cells = line.split("\\|");
            add(
                    all,
                    new MachineType(
                            cells[0],
                            cells[1],
                            cells[1].isEmpty() ? "" : NVIDIA,
                            Integer.parseInt(cells[2]),
                            Integer.parseInt(cells[3]),
                            Integer.parseInt(cells[4]),
                            Integer.parseInt(cells[5]),
                            Integer.parseInt(cells[6]),
                            "x86_64",
                            new BigDecimal(cells[7])));
        }
        add(
                all,
                new MachineType(
                        "g4ad.xlarge",
                        "Radeon Pro V520",
                        "AMD",
                        1,
                        8192,
                        4,
                        16,
                        150,
                        "x86_64",
                        new BigDecimal("0.37853")));
        add(all, new MachineType("t4g.small", "", "", 0, 0, 2, 2, 0, "arm64", new BigDecimal("0.0168")));
        add(all, new MachineType("g5g.xlarge", "T4g", NVIDIA, 1, 16384, 4, 8, 0, "arm64", new BigDecimal("0.42")));
        return all;
    }

    private static void add(Map<String, MachineType> all, MachineType type) {
        all.put(type.name(), type);
    }

    static List<MachineType> all() {
        return List.copyOf(ALL.values());
    }

    static Optional<MachineType> named(String name) {
        return Optional.ofNullable(ALL.get(name));
    }

    /** In how many of a region's zones, the first ones, there is a type. */
    static int zones(MachineType type, int region, int zones) {
        int[] offered = OFFERED.get(type.family());
        return offered == null ? zones : Math.min(zones, offered[region]);
    }
}
