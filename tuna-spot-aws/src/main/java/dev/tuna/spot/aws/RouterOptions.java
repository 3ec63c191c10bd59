package dev.tuna.spot.aws;

import dev.tuna.api.ConfigurationException;
import dev.tuna.provider.support.OptionReader;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a request, or else the installation, says about the machine of a router. Immutable.
 *
 * @param region {@code router_region}: where it is; default the first region of replicas
 * @param instanceType {@code router_instance_type}: default {@link #INSTANCE_TYPE}
 * @param diskGb {@code router_disk_gb}: size of its root volume; default 20
 * @param image {@code router_ami}: the image's id, or the SSM parameter that holds it; default Amazon Linux 2023 for the
 *     type's processor. Another one must have systemd, Python 3.8 and OpenSSL, and Java 17 or {@code dnf}
 * @param subnet {@code router_subnet}: the network's part that it is in; default as for replicas
 * @param instanceProfile {@code router_instance_profile}: name or ARN of what it may do on AWS; there is no default
 * @param bucket {@code artifact_bucket}: the bucket, in its region, by which it gets its jar; needed for a jar that is a file
 * @param clientCidr {@code router_client_cidr}: address ranges that may connect as clients; default everybody, since clients
 *     are asked for their keys
 * @param shared what replicas have as well: their network, {@code ingress} and {@code port} hold here too
 */
record RouterOptions(
        String region,
        String instanceType,
        int diskGb,
        Optional<String> image,
        Optional<String> subnet,
        String instanceProfile,
        Optional<String> bucket,
        List<String> clientCidr,
        AwsOptions shared) {

    /** 2 GiB, which two routers, one of them on its way out, can share; x86, so that most images fit. */
    static final String INSTANCE_TYPE = "t3.small";

    private static final int DISK_GB = 20;

    private static final String REGION = "router_region";
    private static final String TYPE = "router_instance_type";
    private static final String DISK = "router_disk_gb";
    private static final String AMI = "router_ami";
    private static final String SUBNET = "router_subnet";
    private static final String PROFILE = "router_instance_profile";
    private static final String BUCKET = "artifact_bucket";
    private static final String CLIENTS = "router_client_cidr";

    /** Names the machine, which is core's business. */
    private static final String NAME = "router_vm";

    static final List<String> KEYS = List.of(NAME, REGION, TYPE, DISK, AMI, SUBNET, PROFILE, BUCKET, CLIENTS);

    private static final String AMAZON_LINUX = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-";

    /** As {@code t4g} and {@code c7gn}: AWS's own processors have a g behind the generation's number. */
    private static final String ARM = "[a-z]+\\d+g[a-z]*\\..*";

    RouterOptions {
        clientCidr = List.copyOf(clientCidr);
    }

    /**
     * Reads the options in force.
     *
     * @param settings the installation's
     * @param request the request's, which win
     * @throws ConfigurationException naming every option at fault
     */
    static RouterOptions of(Map<String, String> settings, Map<String, String> request) {
        AwsOptions shared = AwsOptions.of(settings, request);
        var reader = new OptionReader(AwsOptions.PROVIDER, AwsOptions.KEYS, AwsSettings.KEYS, settings, request);
        Optional<String> profile =
                reader.matching(PROFILE, AwsOptions.PROFILE_NAME, "an instance profile's name or ARN");
        if (reader.text(PROFILE).isEmpty()) {
            reader.add("option " + PROFILE + " is missing: name the instance profile whose role the router's machine"
                    + " is to have; docs/providers/aws.md has the commands that make one");
        }
        List<String> clients = reader.list(CLIENTS, "0.0.0.0/0");
        reader.each(CLIENTS, clients, AwsOptions.CIDR, "address ranges such as 203.0.113.0/24");
        var options = new RouterOptions(
                reader.matching(REGION, AwsOptions.REGION_NAME, "a region such as us-east-1")
                        .orElse(shared.regions().get(0)),
                reader.matching(TYPE, "[a-z][a-z0-9-]*\\.[a-z0-9-]+", "an instance type such as t3.small")
                        .orElse(INSTANCE_TYPE),
                AwsOptions.number(reader, DISK, 8, 16_384).orElse(DISK_GB),
                reader.matching(
                        AMI,
                        AwsOptions.AMI_ID + "|/\\S+",
                        "an image such as ami-0123456789abcdef0, or an SSM parameter's name"),
                reader.matching(SUBNET, "subnet-[0-9a-f]{1,32}", "a subnet such as subnet-0123456789abcdef0"),
                profile.orElse(""),
                reader.matching(BUCKET, "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "a bucket's name"),
                clients,
                shared);
        reader.throwIfAny();
        return options;
    }

    /** Id or parameter of what it boots. */
    String imageWanted() {
        return image.orElse(AMAZON_LINUX + (instanceType.matches(ARM) ? "arm64" : "x86_64"));
    }

    List<String> subnets() {
        return subnet.map(List::of).orElse(shared.subnets());
    }

    /** The network, unless a subnet says it. */
    Optional<String> vpc() {
        return subnet.isPresent() ? Optional.empty() : shared.vpc();
    }
}
