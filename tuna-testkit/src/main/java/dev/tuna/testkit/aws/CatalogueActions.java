package dev.tuna.testkit.aws;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Types, where they are offered, what they cost, how likely one is got; images. Stateless. */
final class CatalogueActions {

    private static final String LINUX = "Linux/UNIX";

    private CatalogueActions() {}

    static void addTo(Map<String, Ec2Call.Action> actions) {
        actions.put("DescribeInstanceTypes", CatalogueActions::types);
        actions.put("DescribeInstanceTypeOfferings", CatalogueActions::offerings);
        actions.put("DescribeSpotPriceHistory", CatalogueActions::prices);
        actions.put("GetSpotPlacementScores", CatalogueActions::scores);
        actions.put("DescribeImages", CatalogueActions::images);
    }

    private static List<MachineType> offered(Ec2Call call) {
        return MachineTypes.all().stream()
                .filter(type -> !call.region().zonesOf(type).isEmpty())
                .toList();
    }

    // --- types ---

    private static void types(Ec2Call call, Xml out) {
        List<String> wanted = call.form().texts("InstanceType");
        List<MachineType> offered = offered(call);
        List<String> unknown = wanted.stream()
                .filter(name -> offered.stream().noneMatch(type -> type.name().equals(name)))
                .toList();
        if (!unknown.isEmpty()) {
            throw AwsError.bad("InvalidInstanceType", "The following supplied instance types do not exist: " + unknown);
        }
        if (wanted.size() > 100) {
            throw AwsError.invalid("At most 100 instance types can be given");
        }
        List<MachineType> types = offered.stream()
                .filter(type -> wanted.isEmpty() || wanted.contains(type.name()))
                .filter(type -> call.filters().match(Map.of(), name -> typeFilter(type, name)))
                .toList();
        out.list("instanceTypeSet", call.page(types, 5, 100, out), CatalogueActions::type);
    }

    private static List<String> typeFilter(MachineType type, String name) {
        return switch (name) {
            case "instance-type" -> List.of(type.name());
            case "bare-metal", "free-tier-eligible", "burstable-performance-supported" -> List.of("false");
            case "current-generation" -> List.of("true");
            case "processor-info.supported-architecture" -> List.of(type.architecture());
            case "supported-usage-class" -> usage(type);
            case "vcpu-info.default-vcpus" -> List.of(String.valueOf(type.vcpus()));
            case "memory-info.size-in-mib" -> List.of(String.valueOf(type.gib() * 1024));
            case "instance-storage-supported" -> List.of(String.valueOf(type.storageGb() > 0));
            default -> throw Filters.unknown(name);
        };
    }

    private static List<String> usage(MachineType type) {
        return type.isCapacityBlock() ? List.of("on-demand", "spot", "capacity-block") : List.of("on-demand", "spot");
    }

    private static void type(Xml item, MachineType type) {
        item.put("instanceType", type.name())
                .put("currentGeneration", true)
                .put("freeTierEligible", false)
                .words("supportedUsageClasses", usage(type))
                .words("supportedRootDeviceTypes", List.of("ebs"))
                .words("supportedVirtualizationTypes", List.of("hvm"))
                .put("bareMetal", false)
                .put("hypervisor", "nitro")
                .in("processorInfo", cpu -> cpu.words("supportedArchitectures", List.of(type.architecture())))
                .in("vCpuInfo", cpu -> cpu.put("defaultVCpus", type.vcpus()).put("defaultCores", type.vcpus() / 2))
                .in("memoryInfo", memory -> memory.put("sizeInMiB", type.gib() * 1024))
                .put("instanceStorageSupported", type.storageGb() > 0);
        if (type.storageGb() > 0) {
            item.in(
                    "instanceStorageInfo",
                    storage -> storage.put("totalSizeInGB", type.storageGb())
                            .list(
                                    "disks",
                                    List.of(type),
                                    (disk, each) -> disk.put("sizeInGB", each.storageGb())
                                            .put("count", 1)
                                            .put("type", "ssd"))
                            .put("nvmeSupport", "required"));
        }
        int cards = type.bucket() == MachineType.Bucket.P && type.gpus() > 1 ? 4 : 1;
        item.in(
                "networkInfo",
                network -> network.put("maximumNetworkCards", cards).put("maximumNetworkInterfaces", 4 * cards));
        if (!type.gpu().isEmpty()) {
            item.in(
                    "gpuInfo",
                    gpus -> gpus.list(
                                    "gpus",
                                    List.of(type),
                                    (gpu, each) -> gpu.put("name", each.gpu())
                                            .put("manufacturer", each.manufacturer())
                                            .put("count", each.gpus())
                                            .in("memoryInfo", memory -> memory.put("sizeInMiB", each.gpuMib())))
                            .put("totalGpuMemoryInMiB", type.gpuMib() * Math.max(1, type.gpus())));
        }
    }

    // --- offerings ---

    private record Offering(MachineType type, String location) {}

    private static void offerings(Ec2Call call, Xml out) {
        String kind = call.form().text("LocationType").orElse("region");
        List<Offering> offerings = new ArrayList<>();
        for (MachineType type : offered(call)) {
            switch (kind) {
                case "region" -> offerings.add(new Offering(type, call.region().name()));
                case "availability-zone" ->
                    call.region().zonesOf(type).forEach(zone -> offerings.add(new Offering(type, zone.name())));
                case "availability-zone-id" ->
                    call.region().zonesOf(type).forEach(zone -> offerings.add(new Offering(type, zone.id())));
                default -> throw AwsError.invalid("Value (" + kind + ") for parameter locationType is invalid.");
            }
        }
        List<Offering> matching = offerings.stream()
                .filter(each -> call.filters().match(Map.of(), name -> switch (name) {
                    case "instance-type" -> List.of(each.type().name());
                    case "location" -> List.of(each.location());
                    default -> throw Filters.unknown(name);
                }))
                .toList();
        out.list(
                "instanceTypeOfferingSet",
                call.page(matching, 5, 1000, out),
                (item, each) -> item.put("instanceType", each.type().name())
                        .put("locationType", kind)
                        .put("location", each.location()));
    }

    // --- prices ---

    private record Price(MachineType type, Zone zone, Instant at, BigDecimal usd) {}

    private static void prices(Ec2Call call, Xml out) {
        Form form = call.form();
        Instant to = time(form, "EndTime").orElse(call.now());
        Instant from = time(form, "StartTime").orElse(call.now().minus(PriceBook.SHOWN));
        List<String> types = form.texts("InstanceType");
        List<String> products = form.texts("ProductDescription");
        Optional<String> wanted = form.text("AvailabilityZone");
        List<Price> prices = new ArrayList<>();
        for (MachineType type : offered(call)) {
            for (Zone zone : call.region().zonesOf(type)) {
                boolean asked = (types.isEmpty() || types.contains(type.name()))
                        && (products.isEmpty()
                                || products.contains(LINUX)
                                || products.contains("Linux/UNIX (Amazon VPC)"))
                        && wanted.map(zone.name()::equals).orElse(true)
                        && call.filters().match(Map.of(), name -> switch (name) {
                            case "instance-type" -> List.of(type.name());
                            case "availability-zone" -> List.of(zone.name());
                            case "product-description" -> List.of(LINUX);
                            default -> throw Filters.unknown(name);
                        });
                if (asked) {
                    call.region()
                            .prices()
                            .history(type.name(), zone.name(), from, to)
                            .forEach(change -> prices.add(new Price(type, zone, change.getKey(), change.getValue())));
                }
            }
        }
        prices.sort(Comparator.comparing(Price::at).reversed());
        out.list(
                "spotPriceHistorySet",
                call.page(prices, 1, 1000, out),
                (item, price) -> item.put("instanceType", price.type().name())
                        .put("productDescription", LINUX)
                        .put(
                                "spotPrice",
                                price.usd().setScale(6, RoundingMode.HALF_UP).toPlainString())
                        .put("timestamp", price.at())
                        .put("availabilityZone", price.zone().name())
                        .put("availabilityZoneId", price.zone().id()));
    }

    private static Optional<Instant> time(Form form, String name) {
        return form.text(name).map(text -> {
            try {
                return Instant.parse(text);
            } catch (DateTimeParseException e) {
                throw AwsError.invalid("Invalid value for " + name + ": " + text);
            }
        });
    }

    // --- scores ---

    private record Score(String region, Optional<String> zone, int points) {}

    private static void scores(Ec2Call call, Xml out) {
        Form form = call.form();
        List<String> types = form.texts("InstanceType");
        List<String> regions = form.texts("RegionName");
        form.require("TargetCapacity");
        if (types.isEmpty()) {
            throw AwsError.missing("InstanceType");
        }
        List<Score> scores = new ArrayList<>();
        for (AwsRegion region : call.account().regions()) {
            if (!regions.isEmpty() && !regions.contains(region.name())) {
                continue;
            }
            if (form.flag("SingleAvailabilityZone")) {
                region.zones()
                        .forEach(zone -> scores.add(new Score(
                                region.name(), Optional.of(zone.id()), points(call, types, zone.id(), List.of(zone)))));
            } else {
                scores.add(
                        new Score(region.name(), Optional.empty(), points(call, types, region.name(), region.zones())));
            }
        }
        scores.sort(Comparator.comparing(Score::points).reversed());
        List<Score> best = scores.subList(0, Math.min(10, scores.size()));
        out.list(
                "spotPlacementScoreSet",
                call.page(best, 10, 1000, out),
                (item, score) -> item.put("region", score.region())
                        .maybe("availabilityZoneId", score.zone())
                        .put("score", score.points()));
    }

    /** Few types always score low. */
    private static int points(Ec2Call call, List<String> types, String place, List<Zone> zones) {
        Optional<Integer> told = call.account().score(place);
        int deepest = zones.stream()
                .flatMap(zone -> types.stream().map(type -> new Pool(zone.name(), type, Market.SPOT)))
                .filter(pool -> MachineTypes.named(pool.type())
                        .filter(type -> call.account().region(pool.region()).orElseThrow().zonesOf(type).stream()
                                .anyMatch(zone -> zone.name().equals(pool.zone())))
                        .isPresent())
                .mapToInt(call.account()::stock)
                .max()
                .orElse(0);
        int points = told.orElse(deepest == 0 ? 1 : deepest < 10 ? 3 : deepest < 100 ? 6 : 9);
        return types.size() < 3 ? Math.min(points, 3) : points;
    }

    // --- images ---

    private static void images(Ec2Call call, Xml out) {
        List<String> wanted = call.form().texts("ImageId");
        Images known = call.region().images();
        wanted.stream().filter(id -> known.image(id).isEmpty()).findFirst().ifPresent(id -> {
            throw AwsError.bad("InvalidAMIID.NotFound", "The image id '[" + id + "]' does not exist");
        });
        List<Images.Image> images = known.all().stream()
                .filter(image -> wanted.isEmpty() || wanted.contains(image.id()))
                .filter(image -> call.filters().match(Map.of(), name -> switch (name) {
                    case "name" -> List.of(image.name());
                    case "image-id" -> List.of(image.id());
                    case "architecture" -> List.of(image.architecture());
                    case "state" -> List.of("available");
                    case "owner-alias" -> List.of("amazon");
                    case "root-device-type" -> List.of("ebs");
                    case "virtualization-type" -> List.of("hvm");
                    default -> throw Filters.unknown(name);
                }))
                .toList();
        out.list(
                "imagesSet",
                call.page(images, 1, 1000, out),
                (item, image) -> item.put("imageId", image.id())
                        .put("name", image.name())
                        .put("imageState", "available")
                        .put("imageOwnerId", "898082745236")
                        .put("imageOwnerAlias", "amazon")
                        .put("isPublic", true)
                        .put("architecture", image.architecture())
                        .put("imageType", "machine")
                        .put("rootDeviceType", "ebs")
                        .put("rootDeviceName", image.rootDevice())
                        .put("virtualizationType", "hvm")
                        .put("creationDate", "2026-08-01T00:00:00.000Z")
                        .list(
                                "blockDeviceMapping",
                                List.of(image),
                                (mapping, each) -> mapping.put("deviceName", each.rootDevice())
                                        .in(
                                                "ebs",
                                                ebs -> ebs.put("deleteOnTermination", true)
                                                        .put("snapshotId", each.snapshot())
                                                        .put("volumeSize", each.sizeGb())
                                                        .put("volumeType", "gp3")
                                                        .put("encrypted", false))));
    }
}
