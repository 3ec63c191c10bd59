package dev.tuna.spot.aws;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.SecretRef;
import dev.tuna.api.Tier;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.LaunchPlan;
import dev.tuna.spi.ReplicaSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Plans a launch: for each market of each region one fleet that EC2 fills at once or not at all, over all pools allowed there.
 * Of spare capacity EC2 takes the pools where there is most and of these the cheapest; at list price the first in order that has
 * a machine. Pure.
 */
final class FleetPlanner {

    static final String CREATE_GROUP = "CreateSecurityGroup";
    static final String OPEN_GROUP = "AuthorizeSecurityGroupIngress";
    static final String CREATE_TEMPLATE = "CreateLaunchTemplate";
    static final String CREATE_VERSION = "CreateLaunchTemplateVersion";
    static final String CREATE_FLEET = "CreateFleet";

    /** In the order in which they are made. */
    static final List<String> CALLS = List.of(CREATE_GROUP, OPEN_GROUP, CREATE_TEMPLATE, CREATE_VERSION, CREATE_FLEET);

    /** EC2 takes no more for one instant fleet. */
    static final int MAX_OVERRIDES = 300;

    private static final int SSH = 22;
    static final int TAG_LENGTH = 256;

    private final String ownerId;
    private final ReplicaSpec spec;
    private final AwsOptions options;
    private final String token;
    private final String shared;

    private FleetPlanner(String ownerId, ReplicaSpec spec, AwsOptions options, String token) {
        this.ownerId = ownerId;
        this.spec = spec;
        this.options = options;
        this.token = token;
        this.shared = Names.shared(ownerId, spec.deployment());
    }

    static LaunchPlan plan(
            String ownerId,
            ReplicaSpec spec,
            AwsOptions options,
            List<CapacityPool> pools,
            String token,
            String bootText) {
        check(spec, options, pools);
        var planner = new FleetPlanner(ownerId, spec, options, token);
        Map<String, List<CapacityPool>> groups = new LinkedHashMap<>();
        pools.forEach(pool -> groups.computeIfAbsent(pool.region() + " " + pool.tier(), made -> new ArrayList<>())
                .add(pool));
        List<FleetPlan.Step> steps = groups.values().stream().map(planner::step).toList();
        return new LaunchPlan(
                spec.deployment(),
                token,
                pools,
                "One machine with at least " + spec.engine().gpuCount() + " x "
                        + spec.engine().gpu() + " for " + spec.engine().model() + " from "
                        + groups.values().stream().map(FleetPlanner::words).collect(Collectors.joining(", else from ")),
                new FleetPlan(bootText, steps).write());
    }

    private static String words(List<CapacityPool> pools) {
        CapacityPool first = pools.get(0);
        return (first.tier() == Tier.SPOT ? "spare capacity" : "list-price capacity") + " in "
                + pools.stream().map(CapacityPool::zone).distinct().sorted().collect(Collectors.joining("/")) + " ("
                + pools.stream().map(CapacityPool::machineType).distinct().collect(Collectors.joining("/")) + ")";
    }

    private static void check(ReplicaSpec spec, AwsOptions options, List<CapacityPool> pools) {
        List<String> problems = new ArrayList<>();
        pools.stream()
                .filter(pool -> !pool.provider().equals(AwsOptions.PROVIDER))
                .forEach(pool -> problems.add("pool " + pool + " is of provider '" + pool.provider() + "'"));
        if (pools.isEmpty()) {
            problems.add("no pools were given");
        }
        long regions = pools.stream().map(CapacityPool::region).distinct().count();
        if (options.images().containsKey(AwsOptions.ANY_REGION) && regions > 1) {
            problems.add("option ami is one image, but images are of one region and machines may be in " + regions
                    + " of them; say for instance us-east-1=ami-1,us-east-2=ami-2");
        }
        spec.engine().secrets().keySet().stream()
                .filter(name -> !name.matches("[A-Za-z_][A-Za-z0-9_]{0,99}"))
                .forEach(name -> problems.add("secret variable '" + name + "' is no name of an environment variable"));
        if (!problems.isEmpty()) {
            throw new ConfigurationException(ErrorCode.INVALID_REQUEST, "provider aws", problems);
        }
    }

    private FleetPlan.Step step(List<CapacityPool> pools) {
        String region = pools.get(0).region();
        Tier tier = pools.get(0).tier();
        return new FleetPlan.Step(
                region,
                tier,
                options.image(region).map(List::of).orElse(options.imageParameters()),
                options.vpc().orElse(""),
                options.subnets(),
                Map.of(
                        CREATE_GROUP, group(),
                        OPEN_GROUP, ingress(),
                        CREATE_TEMPLATE, template(),
                        CREATE_VERSION, version(),
                        CREATE_FLEET, fleet(tier, pools)));
    }

    private static ObjectNode object() {
        return SdkJson.JSON.createObjectNode();
    }

    private ObjectNode group() {
        ObjectNode body = object().put("GroupName", shared)
                .put("Description", "Replicas of Tuna deployment " + spec.deployment())
                .put("VpcId", Blanks.VPC);
        body.putArray("TagSpecifications").add(tags("security-group", sharedTags()));
        return body;
    }

    private ObjectNode ingress() {
        ObjectNode body = object().put("GroupId", Blanks.GROUP);
        ArrayNode permissions = body.putArray("IpPermissions");
        permissions.add(permission(options.port(), options.ingress()));
        if (options.keyName().isPresent()) {
            permissions.add(permission(SSH, options.ingress()));
        }
        return body;
    }

    /** Lets connect to a port whom the option {@code ingress} may name. */
    static ObjectNode permission(int port, String from) {
        ObjectNode permission =
                object().put("IpProtocol", "tcp").put("FromPort", port).put("ToPort", port);
        if (from.startsWith("sg-")) {
            permission.putArray("UserIdGroupPairs").addObject().put("GroupId", from);
            return permission;
        }
        ArrayNode ranges = permission.putArray("IpRanges");
        switch (from) {
            case AwsOptions.INGRESS_HOST ->
                ranges.addObject().put("CidrIp", Blanks.HOST_CIDR).put("Description", IngressRules.HOST);
            case AwsOptions.INGRESS_VPC -> ranges.addObject().put("CidrIp", Blanks.VPC_CIDR);
            default ->
                List.of(from.split(",")).forEach(range -> ranges.addObject().put("CidrIp", range));
        }
        return permission;
    }

    /** Its first version says which image the deployment's machines boot, and is what a person sees in the console. */
    private ObjectNode template() {
        ObjectNode body = object().put("LaunchTemplateName", shared)
                .put("ClientToken", Names.token(ownerId, spec.deployment(), Names.TEMPLATE));
        body.putObject("LaunchTemplateData").put("ImageId", Blanks.IMAGE);
        body.putArray("TagSpecifications").add(tags("launch-template", sharedTags()));
        return body;
    }

    private ObjectNode version() {
        ObjectNode body = object().put("LaunchTemplateName", shared)
                .put("VersionDescription", token)
                .put("ClientToken", Names.token(ownerId, token, "version"));
        ObjectNode data = body.putObject("LaunchTemplateData");
        data.put("ImageId", Blanks.IMAGE);
        data.put("UserData", Blanks.USER_DATA);
        options.keyName().ifPresent(name -> data.put("KeyName", name));
        options.instanceProfile()
                .ifPresent(profile ->
                        data.putObject("IamInstanceProfile").put(profile.startsWith("arn:") ? "Arn" : "Name", profile));
        data.put("InstanceInitiatedShutdownBehavior", "terminate");
        data.putObject("MetadataOptions")
                .put("HttpEndpoint", "enabled")
                .put("HttpTokens", "required")
                .put("HttpPutResponseHopLimit", 1);
        ObjectNode disk = data.putArray("BlockDeviceMappings").addObject();
        disk.put("DeviceName", Blanks.ROOT_DEVICE);
        disk.putObject("Ebs")
                .put("Encrypted", true)
                .put("DeleteOnTermination", true)
                .put("VolumeType", "gp3")
                .put("VolumeSize", options.volumeGb())
                .put("Iops", options.volumeIops())
                .put("Throughput", options.volumeThroughput());
        ObjectNode card = data.putArray("NetworkInterfaces").addObject();
        card.put("DeviceIndex", 0)
                .put("AssociatePublicIpAddress", !options.isPrivate())
                .put("DeleteOnTermination", true);
        card.putArray("Groups").add(Blanks.GROUP);
        Map<String, String> tags = replicaTags();
        data.putArray("TagSpecifications")
                .add(tags("instance", instanceTags()))
                .add(tags("volume", tags))
                .add(tags("network-interface", tags));
        return body;
    }

    private ObjectNode fleet(Tier tier, List<CapacityPool> pools) {
        boolean spot = tier == Tier.SPOT;
        ObjectNode body = object().put("Type", "instant")
                .put(
                        "ClientToken",
                        Names.token(ownerId, token, tier.name(), pools.get(0).region()));
        body.putObject("TargetCapacitySpecification")
                .put("TotalTargetCapacity", 1)
                .put("DefaultTargetCapacityType", spot ? "spot" : "on-demand");
        if (spot) {
            body.putObject("SpotOptions")
                    .put("AllocationStrategy", "price-capacity-optimized")
                    .put("InstanceInterruptionBehavior", "terminate");
        } else {
            body.putObject("OnDemandOptions").put("AllocationStrategy", "prioritized");
        }
        ObjectNode config = body.putArray("LaunchTemplateConfigs").addObject();
        config.putObject("LaunchTemplateSpecification")
                .put("LaunchTemplateName", shared)
                .put("Version", Blanks.VERSION);
        ArrayNode overrides = config.putArray("Overrides");
        pools.stream().limit(MAX_OVERRIDES).forEach(pool -> {
            ObjectNode override = overrides
                    .addObject()
                    .put("InstanceType", pool.machineType())
                    .put("SubnetId", Blanks.subnet(pool.zone()));
            if (!spot) {
                override.put("Priority", (double) overrides.size() - 1);
            }
        });
        body.putArray("TagSpecifications").add(tags("fleet", replicaTags()));
        return body;
    }

    static ObjectNode tags(String type, Map<String, String> tags) {
        ObjectNode specification = object().put("ResourceType", type);
        ArrayNode list = specification.putArray("Tags");
        tags.forEach((key, value) -> list.addObject().put("Key", key).put("Value", value));
        return specification;
    }

    private Map<String, String> sharedTags() {
        var tags = new TreeMap<String, String>();
        tags.put(Names.OWNER, ownerId);
        tags.put(Names.DEPLOYMENT, spec.deployment());
        tags.put(
                "Name",
                ("tuna " + spec.deployment())
                        .substring(0, Math.min(TAG_LENGTH, 5 + spec.deployment().length())));
        return tags;
    }

    private Map<String, String> replicaTags() {
        Map<String, String> tags = sharedTags();
        tags.put(Names.REPLICA, token);
        return tags;
    }

    /** What has to be known of a machine when nothing else is left: how to reach it, and which secrets it is to get. */
    private Map<String, String> instanceTags() {
        Map<String, String> tags = replicaTags();
        tags.put(Names.PORT, Integer.toString(options.port()));
        tags.put(Names.ADDRESS, options.isPrivate() ? "private" : "public");
        tags.put(Names.EXTRA_USD, Surcharge.usdPerHour(options).toPlainString());
        spec.engine().apiKey().map(SecretRef::name).ifPresent(name -> tags.put(Names.ENGINE_KEY, name));
        spec.engine().secrets().forEach((name, ref) -> tags.put(Names.SECRET_PREFIX + name, ref.name()));
        return tags;
    }

    /** Reads a request of a plan, for whoever sends it. */
    static JsonNode overrides(JsonNode fleet) {
        return fleet.path("LaunchTemplateConfigs").path(0).path("Overrides");
    }
}
