package dev.tuna.spot.aws;

import dev.tuna.api.ConfigurationException;
import dev.tuna.provider.support.OptionReader;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * What a request, or else the installation, says about machines on EC2. Immutable.
 *
 * @param regions {@code regions}: where machines may be, unless the request names spot regions; default {@link #REGIONS}
 * @param zones {@code zones}: availability zones allowed, by name; default every one of the regions
 * @param instanceTypes {@code instance_types}: types allowed, {@code *} standing for anything, as {@code g6.xlarge,g5.*};
 *     default every one that has the GPU
 * @param priceSpread {@code price_spread}: machines of one market that cost more than this many times the cheapest one that
 *     would do are left out, since EC2 looks at spare capacity before it looks at prices; default 2
 * @param images {@code ami}: image to boot, by region: {@code us-east-1=ami-1,us-east-2=ami-2}, or one id where there is
 *     one region; default the first of {@code ami_parameters} that exists
 * @param imageParameters {@code ami_parameters}: public SSM parameters that hold an image's id, tried in this order
 * @param vpc {@code vpc}: the network; default the region's default one
 * @param subnets {@code subnets}: subnets allowed; default those of the network that are a zone's default
 * @param keyName {@code key_name}: key pair for SSH, whose port is opened only then; default none
 * @param instanceProfile {@code instance_profile}: name or ARN of what machines may do on AWS themselves; default none
 * @param ingress {@code ingress}: who may connect: {@code host} (the address this host is seen from, the default),
 *     {@code vpc} (the machines' network, and they get no public address), address ranges as {@code 203.0.113.0/24}, or a
 *     security group as {@code sg-1}
 * @param volumeGb {@code volume_gb}: size of the root volume; default 200
 * @param volumeIops {@code volume_iops}: its operations a second, 3000 to 16000; default 6000
 * @param volumeThroughput {@code volume_throughput}: its MB/s, 125 to 1000; default 500
 * @param modelCache {@code model_cache}: where machines look for weights first, as {@code s3://bucket/prefix}; default none
 * @param port {@code port}: the one port of a machine that is open; default 8443
 */
record AwsOptions(
        List<String> regions,
        List<String> zones,
        List<String> instanceTypes,
        BigDecimal priceSpread,
        Map<String, String> images,
        List<String> imageParameters,
        Optional<String> vpc,
        List<String> subnets,
        Optional<String> keyName,
        Optional<String> instanceProfile,
        String ingress,
        int volumeGb,
        int volumeIops,
        int volumeThroughput,
        Optional<String> modelCache,
        int port) {

    static final String PROVIDER = "aws";

    /** Where most GPU types are offered in most zones. */
    static final String REGIONS = "us-east-1,us-east-2,us-west-2";

    /** Image of any region. */
    static final String ANY_REGION = "*";

    static final String INGRESS_HOST = "host";
    static final String INGRESS_VPC = "vpc";

    private static final String DLAMI = "/aws/service/deeplearning/ami/x86_64/";

    /** AWS's own images with driver, container toolkit and docker, newest system first. */
    private static final String IMAGE_PARAMETERS = DLAMI + "base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id,"
            + DLAMI + "base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id,"
            + DLAMI + "base-oss-nvidia-driver-ubuntu-22.04/latest/ami-id";

    private static final String REGIONS_KEY = "regions";
    private static final String ZONES = "zones";
    private static final String TYPES = "instance_types";
    private static final String SPREAD = "price_spread";
    private static final String AMI = "ami";
    private static final String AMI_PARAMETERS = "ami_parameters";
    private static final String VPC = "vpc";
    private static final String SUBNETS = "subnets";
    private static final String KEY_NAME = "key_name";
    private static final String PROFILE = "instance_profile";
    private static final String INGRESS = "ingress";
    private static final String VOLUME_GB = "volume_gb";
    private static final String VOLUME_IOPS = "volume_iops";
    private static final String VOLUME_THROUGHPUT = "volume_throughput";
    private static final String MODEL_CACHE = "model_cache";
    private static final String PORT = "port";

    /** Those of router VMs too: a request may say both. */
    static final List<String> KEYS = Stream.concat(
                    Stream.of(
                            REGIONS_KEY,
                            ZONES,
                            TYPES,
                            SPREAD,
                            AMI,
                            AMI_PARAMETERS,
                            VPC,
                            SUBNETS,
                            KEY_NAME,
                            PROFILE,
                            INGRESS,
                            VOLUME_GB,
                            VOLUME_IOPS,
                            VOLUME_THROUGHPUT,
                            MODEL_CACHE,
                            PORT),
                    RouterOptions.KEYS.stream())
            .toList();

    static final String REGION_NAME = "[a-z]{2}(-[a-z]+)+-\\d{1,2}";
    static final String AMI_ID = "ami-[0-9a-f]{1,32}";
    static final String PROFILE_NAME = "[A-Za-z0-9+=,.@_-]{1,128}|arn:aws[a-z-]*:iam::\\d{12}:instance-profile/\\S+";
    static final String CIDR = "\\d{1,3}(\\.\\d{1,3}){3}/\\d{1,2}";
    private static final String GROUP = "sg-[0-9a-f]{1,32}";

    /** Copies collections. */
    AwsOptions {
        regions = List.copyOf(regions);
        zones = List.copyOf(zones);
        instanceTypes = List.copyOf(instanceTypes);
        images = Map.copyOf(images);
        imageParameters = List.copyOf(imageParameters);
        subnets = List.copyOf(subnets);
    }

    /**
     * Reads the options in force.
     *
     * @param settings the installation's
     * @param request the request's, which win
     * @throws ConfigurationException naming every option at fault
     */
    static AwsOptions of(Map<String, String> settings, Map<String, String> request) {
        var reader = new OptionReader(PROVIDER, KEYS, AwsSettings.KEYS, settings, request);
        var options = new AwsOptions(
                list(reader, REGIONS_KEY, REGIONS, REGION_NAME, "a region such as us-east-1"),
                list(reader, ZONES, "", REGION_NAME + "[a-z]|" + REGION_NAME + "-.+", "a zone such as us-east-1a"),
                list(
                        reader,
                        TYPES,
                        "",
                        "[a-z0-9.*-]+",
                        "an instance type such as g6.xlarge, or a pattern such as g5.*"),
                spread(reader),
                images(reader),
                list(reader, AMI_PARAMETERS, IMAGE_PARAMETERS, "/\\S+", "an SSM parameter's name"),
                reader.matching(VPC, "vpc-[0-9a-f]{1,32}", "a network such as vpc-0123456789abcdef0"),
                list(reader, SUBNETS, "", "subnet-[0-9a-f]{1,32}", "a subnet such as subnet-0123456789abcdef0"),
                reader.matching(KEY_NAME, "[\\x21-\\x7e]([\\x20-\\x7e]{0,253}[\\x21-\\x7e])?", "a key pair's name"),
                reader.matching(PROFILE, PROFILE_NAME, "an instance profile's name or ARN"),
                ingress(reader),
                number(reader, VOLUME_GB, 50, 16_384).orElse(200),
                number(reader, VOLUME_IOPS, 3000, 16_000).orElse(6000),
                number(reader, VOLUME_THROUGHPUT, 125, 1000).orElse(500),
                reader.matching(
                        MODEL_CACHE,
                        "s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/\\S*)?",
                        "an URL such as s3://bucket/models"),
                number(reader, PORT, 1, 65_535).orElse(8443));
        if (options.images.containsKey(ANY_REGION) && options.regions.size() > 1 && options.images.size() > 1) {
            reader.add("option " + AMI + " mixes an image without region with others; name the region of each");
        }
        reader.throwIfAny();
        return options;
    }

    /** The image that was asked for in a region; empty if AWS's own is meant. */
    Optional<String> image(String region) {
        return Optional.ofNullable(images.get(region)).or(() -> Optional.ofNullable(images.get(ANY_REGION)));
    }

    boolean isPrivate() {
        return ingress.equals(INGRESS_VPC);
    }

    /** Whether a type may be used, as far as the request says. */
    boolean allowsType(String type) {
        return instanceTypes.isEmpty()
                || instanceTypes.stream()
                        .anyMatch(pattern ->
                                type.matches(pattern.replace(".", "\\.").replace("*", ".*")));
    }

    private static Map<String, String> images(OptionReader reader) {
        Map<String, String> images = new LinkedHashMap<>();
        for (String entry : reader.list(AMI, "")) {
            String[] parts = entry.split("=", 2);
            boolean plain = parts.length == 1;
            String region = plain ? ANY_REGION : parts[0];
            String image = plain ? parts[0] : parts[1];
            reader.check(
                    image.matches(AMI_ID) && (plain || region.matches(REGION_NAME)),
                    AMI,
                    entry,
                    "an image such as ami-0123456789abcdef0, or a list such as us-east-1=ami-1,us-east-2=ami-2");
            images.put(region, image);
        }
        return images;
    }

    private static String ingress(OptionReader reader) {
        List<String> parts = reader.list(INGRESS, INGRESS_HOST);
        boolean one = parts.size() == 1 && parts.get(0).matches(INGRESS_HOST + "|" + INGRESS_VPC + "|" + GROUP);
        reader.check(
                one || (!parts.isEmpty() && parts.stream().allMatch(part -> part.matches(CIDR))),
                INGRESS,
                String.join(",", parts),
                "host, vpc, a security group such as sg-1, or address ranges such as 203.0.113.0/24");
        reader.check(
                !parts.contains("0.0.0.0/0"), INGRESS, String.join(",", parts), "narrower than the whole internet");
        return String.join(",", parts);
    }

    private static BigDecimal spread(OptionReader reader) {
        return reader.matching(SPREAD, "[1-9]\\d{0,3}(\\.\\d{1,3})?", "a number, 1 or more")
                .map(BigDecimal::new)
                .orElse(BigDecimal.valueOf(2));
    }

    private static List<String> list(
            OptionReader reader, String key, String otherwise, String pattern, String allowed) {
        List<String> given = reader.list(key, otherwise);
        reader.each(key, given, pattern, allowed);
        return given;
    }

    static OptionalInt number(OptionReader reader, String key, int least, int most) {
        String allowed = "a whole number, " + least + " to " + most;
        Optional<Integer> number = reader.matching(key, "\\d{1,6}", allowed).map(Integer::valueOf);
        number.ifPresent(given -> reader.check(given >= least && given <= most, key, given, allowed));
        return number.map(OptionalInt::of).orElseGet(OptionalInt::empty);
    }
}
