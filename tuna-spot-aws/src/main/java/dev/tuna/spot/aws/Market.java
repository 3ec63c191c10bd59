package dev.tuna.spot.aws;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.ec2.model.ArchitectureType;
import software.amazon.awssdk.services.ec2.model.AvailabilityZone;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.GpuDeviceInfo;
import software.amazon.awssdk.services.ec2.model.InstanceTypeInfo;
import software.amazon.awssdk.services.ec2.model.InstanceTypeOffering;
import software.amazon.awssdk.services.ec2.model.LocationType;
import software.amazon.awssdk.services.ec2.model.SpotPrice;
import software.amazon.awssdk.services.ec2.model.UsageClassType;
import software.amazon.awssdk.services.pricing.model.FilterType;

/**
 * Reads what EC2 sells in a region and for how much. Keeps nothing; thread-safe.
 *
 * @param clients the SDK's
 * @param region where
 */
record Market(AwsClients clients, String region) {

    private static final Logger LOG = LoggerFactory.getLogger(Market.class);

    private static final String NVIDIA = "NVIDIA";
    private static final String LINUX = "Linux/UNIX";

    private AwsCalls calls() {
        return new AwsCalls(region);
    }

    private static Filter filter(String name, Collection<String> values) {
        return Filter.builder().name(name).values(values).build();
    }

    private static List<String> patterns() {
        return BuiltIn.FAMILIES.stream().map(family -> family + ".*").toList();
    }

    /** Types with whole NVIDIA GPUs and x86 processors, and the zones that have them. */
    Offerings offerings(Instant now) {
        Map<String, MachineType> types = calls().call(
                        "list instance types",
                        "ec2:DescribeInstanceTypes",
                        () -> clients
                                .ec2(region)
                                .describeInstanceTypesPaginator(
                                        request -> request.filters(filter("instance-type", patterns())))
                                .instanceTypes()
                                .stream()
                                .flatMap(info -> machineType(info).stream())
                                .collect(Collectors.toMap(MachineType::name, type -> type, (one, same) -> one)));
        Map<String, List<String>> zones = calls().call(
                        "list offerings",
                        "ec2:DescribeInstanceTypeOfferings",
                        () -> clients
                                .ec2(region)
                                .describeInstanceTypeOfferingsPaginator(
                                        request -> request.locationType(LocationType.AVAILABILITY_ZONE)
                                                .filters(filter("instance-type", patterns())))
                                .instanceTypeOfferings()
                                .stream()
                                .filter(offering -> types.containsKey(offering.instanceTypeAsString()))
                                .collect(Collectors.groupingBy(
                                        InstanceTypeOffering::instanceTypeAsString,
                                        Collectors.mapping(InstanceTypeOffering::location, Collectors.toList()))));
        return new Offerings(types, zones, now, Prices.LIVE);
    }

    private static Optional<MachineType> machineType(InstanceTypeInfo info) {
        List<GpuDeviceInfo> gpus =
                info.gpuInfo() == null ? List.of() : info.gpuInfo().gpus();
        int count = gpus.stream().mapToInt(gpu -> orZero(gpu.count())).sum();
        boolean fits = count > 0
                && gpus.stream().allMatch(gpu -> NVIDIA.equalsIgnoreCase(gpu.manufacturer()))
                && info.processorInfo() != null
                && info.processorInfo().supportedArchitectures().contains(ArchitectureType.X86_64);
        if (!fits) {
            return Optional.empty();
        }
        GpuDeviceInfo gpu = gpus.get(0);
        int mib = gpu.memoryInfo() == null ? 0 : orZero(gpu.memoryInfo().sizeInMiB());
        String name = info.instanceTypeAsString();
        return Optional.of(new MachineType(
                name,
                MachineType.gpu(gpu.name(), mib),
                count,
                mib,
                info.vCpuInfo() == null ? 0 : orZero(info.vCpuInfo().defaultVCpus()),
                info.memoryInfo() == null ? 0 : (int) (info.memoryInfo().sizeInMiB() / 1024),
                info.supportedUsageClasses().contains(UsageClassType.SPOT),
                info.networkInfo() == null ? 1 : orZero(info.networkInfo().maximumNetworkCards()),
                Optional.ofNullable(BuiltIn.TYPES.get(name)).flatMap(MachineType::listUsdPerHour)));
    }

    private static int orZero(Integer number) {
        return number == null ? 0 : number;
    }

    /** What spare capacity costs now. With a start time of now EC2 tells the price in force of every zone. */
    Prices spotPrices(Collection<String> types, Instant now) {
        Map<String, BigDecimal> prices = new HashMap<>();
        Map<String, Instant> since = new HashMap<>();
        calls().call("read spot prices", "ec2:DescribeSpotPriceHistory", () -> {
            clients.ec2(region)
                    .describeSpotPriceHistoryPaginator(request -> request.startTime(now)
                            .productDescriptions(LINUX)
                            .instanceTypesWithStrings(types.stream().sorted().toList()))
                    .spotPriceHistory()
                    .forEach(price -> keepNewest(price, prices, since));
            return prices;
        });
        return new Prices(prices, now, Prices.LIVE);
    }

    private static void keepNewest(SpotPrice price, Map<String, BigDecimal> prices, Map<String, Instant> since) {
        String key = Prices.key(price.availabilityZone(), price.instanceTypeAsString());
        Instant from = price.timestamp() == null ? Instant.MIN : price.timestamp();
        if (from.isBefore(since.getOrDefault(key, Instant.MIN))) {
            return;
        }
        number(price.spotPrice()).ifPresent(usd -> {
            prices.put(key, usd);
            since.put(key, from);
        });
    }

    /** A price; one of zero is none. */
    private static Optional<BigDecimal> number(String text) {
        try {
            return Optional.of(new BigDecimal(text)).filter(usd -> usd.signum() > 0);
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    /** How likely a machine of one of some types can be had on spare capacity, 1 to 10, by zone. Needs three types at least. */
    TreeMap<String, Integer> scores(Collection<String> types) {
        Map<String, String> names = calls().call(
                        "list zones",
                        "ec2:DescribeAvailabilityZones",
                        () -> clients.ec2(region).describeAvailabilityZones(request -> {}).availabilityZones().stream()
                                .collect(Collectors.toMap(AvailabilityZone::zoneId, AvailabilityZone::zoneName)));
        TreeMap<String, Integer> scores = new TreeMap<>();
        calls().call("read placement scores", "ec2:GetSpotPlacementScores", () -> {
            clients.ec2(region)
                    .getSpotPlacementScoresPaginator(request -> request.instanceTypes(types)
                            .targetCapacity(1)
                            .singleAvailabilityZone(true)
                            .regionNames(region))
                    .spotPlacementScores()
                    .forEach(score -> scores.put(
                            names.getOrDefault(score.availabilityZoneId(), score.availabilityZoneId()), score.score()));
            return scores;
        });
        return scores;
    }

    /** List prices of Linux on shared hardware; what AWS does not tell is as it was built in. */
    Prices listPrices(Instant now) {
        Map<String, BigDecimal> prices =
                new HashMap<>(BuiltIn.listPrices(region).usdPerHour());
        for (String product : products("instanceFamily", "GPU instance")) {
            listPrice(product, prices);
        }
        return new Prices(prices, now, Prices.LIVE);
    }

    /** The list price of Linux on one type; empty if it is not sold here. */
    Optional<BigDecimal> listPrice(String type) {
        Map<String, BigDecimal> prices = new HashMap<>();
        for (String product : products("instanceType", type)) {
            listPrice(product, prices);
        }
        return Optional.ofNullable(prices.get(type));
    }

    private List<String> products(String field, String value) {
        return new AwsCalls(AwsClients.PRICES)
                .call(
                        "read list prices",
                        "pricing:GetProducts",
                        () -> clients
                                .pricing()
                                .getProductsPaginator(request -> request.serviceCode("AmazonEC2")
                                        .filters(List.of(
                                                term("regionCode", region),
                                                term(field, value),
                                                term("operatingSystem", "Linux"),
                                                term("tenancy", "Shared"),
                                                term("preInstalledSw", "NA"),
                                                term("capacitystatus", "Used"))))
                                .priceList()
                                .stream()
                                .toList());
    }

    private static software.amazon.awssdk.services.pricing.model.Filter term(String field, String value) {
        return software.amazon.awssdk.services.pricing.model.Filter.builder()
                .type(FilterType.TERM_MATCH)
                .field(field)
                .value(value)
                .build();
    }

    private static void listPrice(String product, Map<String, BigDecimal> prices) {
        try {
            JsonNode read = SdkJson.JSON.readTree(product);
            String type =
                    read.path("product").path("attributes").path("instanceType").asText("");
            List<BigDecimal> found = new ArrayList<>();
            for (JsonNode term : read.path("terms").path("OnDemand")) {
                for (JsonNode dimension : term.path("priceDimensions")) {
                    number(dimension.path("pricePerUnit").path("USD").asText(""))
                            .ifPresent(found::add);
                }
            }
            if (!type.isEmpty() && !found.isEmpty()) {
                prices.put(type, found.get(0));
            }
        } catch (JsonProcessingException e) {
            LOG.debug("a list price is not JSON and is left out: {}", e.getMessage());
        }
    }
}
