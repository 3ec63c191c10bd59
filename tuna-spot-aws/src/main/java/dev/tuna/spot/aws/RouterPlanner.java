package dev.tuna.spot.aws;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Tier;
import dev.tuna.spi.RouterVmPlan;
import dev.tuna.spi.RouterVmSpec;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Plans the machine of a router: one instance at list price in a network of its own security group. Pure. */
final class RouterPlanner {

    private final String ownerId;
    private final RouterVmSpec spec;
    private final RouterOptions options;
    private final String token;

    private RouterPlanner(String ownerId, RouterVmSpec spec, RouterOptions options, String token) {
        this.ownerId = ownerId;
        this.spec = spec;
        this.options = options;
        this.token = token;
    }

    static RouterVmPlan plan(String ownerId, RouterVmSpec spec, RouterOptions options, String token) {
        check(spec, options);
        return new RouterPlanner(ownerId, spec, options, token).plan();
    }

    private static void check(RouterVmSpec spec, RouterOptions options) {
        List<String> problems = new ArrayList<>();
        if (spec.port() == options.shared().port()) {
            problems.add("port " + spec.port() + " is that of the machine's agent; choose another port for clients,"
                    + " or set the option port");
        }
        if (spec.port() < 1 || spec.port() > 65_535) {
            problems.add("port " + spec.port() + " for clients must be 1 to 65535");
        }
        String scheme = String.valueOf(spec.jar().getScheme());
        if (scheme.equals("file") ? options.bucket().isEmpty() : !scheme.equals("https")) {
            problems.add(
                    scheme.equals("file")
                            ? "option artifact_bucket is missing: the jar " + spec.jar()
                                    + " is a file, which reaches the machine by a bucket of yours in "
                                    + options.region() + "; or name a jar by an https URL"
                            : "the jar '" + spec.jar() + "' must be a file or have an https URL");
        }
        if (!problems.isEmpty()) {
            throw new ConfigurationException(ErrorCode.INVALID_REQUEST, "provider aws", problems);
        }
    }

    private RouterVmPlan plan() {
        Optional<BigDecimal> price =
                RouterPrices.builtIn(options.region(), options.instanceType()).map(Surcharge.usdPerHour(options)::add);
        var body = new RouterPlan(
                new FleetPlan.Step(
                        options.region(),
                        Tier.ON_DEMAND,
                        List.of(options.imageWanted()),
                        options.vpc().orElse(""),
                        options.subnets(),
                        Map.of(
                                FleetPlanner.CREATE_GROUP, group(),
                                FleetPlanner.OPEN_GROUP, ingress(),
                                RouterPlan.RUN, instance())),
                spec.jar().toString(),
                spec.sha256(),
                options.bucket(),
                options.shared().port(),
                spec.port(),
                spec.orphanTimeout().toSeconds());
        return new RouterVmPlan(
                spec.name(),
                token,
                "Router VM " + spec.name() + ": one " + options.instanceType() + " at list price in " + options.region()
                        + ", " + options.diskGb() + " GB of disk, clients at port " + spec.port(),
                options.instanceType(),
                options.region(),
                price,
                body.write());
    }

    private ObjectNode group() {
        ObjectNode body = object().put("GroupName", Names.routerGroup(ownerId, spec.name()))
                .put("Description", "Router VM " + spec.name() + " of Tuna")
                .put("VpcId", Blanks.VPC);
        body.putArray("TagSpecifications").add(FleetPlanner.tags("security-group", tags()));
        return body;
    }

    private ObjectNode ingress() {
        ObjectNode body = object().put("GroupId", Blanks.GROUP);
        body.putArray("IpPermissions")
                .add(FleetPlanner.permission(
                        options.shared().port(), options.shared().ingress()))
                .add(FleetPlanner.permission(spec.port(), String.join(",", options.clientCidr())));
        return body;
    }

    private ObjectNode instance() {
        String profile = options.instanceProfile();
        boolean isPrivate = options.shared().isPrivate();
        ObjectNode body = object().put("ImageId", Blanks.IMAGE)
                .put("InstanceType", options.instanceType())
                .put("MinCount", 1)
                .put("MaxCount", 1)
                .put("ClientToken", Names.token(ownerId, token, Names.ROUTER_VM))
                .put("UserData", Blanks.USER_DATA)
                .put("InstanceInitiatedShutdownBehavior", "terminate");
        body.putObject("IamInstanceProfile").put(profile.startsWith("arn:") ? "Arn" : "Name", profile);
        body.putObject("MetadataOptions")
                .put("HttpEndpoint", "enabled")
                .put("HttpTokens", "required")
                .put("HttpPutResponseHopLimit", 1);
        ObjectNode disk = body.putArray("BlockDeviceMappings").addObject();
        disk.put("DeviceName", Blanks.ROOT_DEVICE);
        disk.putObject("Ebs")
                .put("Encrypted", true)
                .put("DeleteOnTermination", true)
                .put("VolumeType", "gp3")
                .put("VolumeSize", options.diskGb());
        ObjectNode card = body.putArray("NetworkInterfaces").addObject();
        card.put("DeviceIndex", 0)
                .put("SubnetId", Blanks.SUBNET_CHOSEN)
                .put("AssociatePublicIpAddress", !isPrivate)
                .put("DeleteOnTermination", true);
        card.putArray("Groups").add(Blanks.GROUP);
        Map<String, String> tags = tags();
        tags.put(Names.ROUTER_TOKEN, token);
        ArrayNode tagged = body.putArray("TagSpecifications");
        tagged.add(FleetPlanner.tags("volume", tags));
        tagged.add(FleetPlanner.tags("network-interface", tags));
        // What has to be known of it when nothing else is left: how to reach it.
        tags.put(Names.PORT, Integer.toString(options.shared().port()));
        tags.put(Names.CLIENT_PORT, Integer.toString(spec.port()));
        tags.put(Names.ADDRESS, isPrivate ? "private" : "public");
        tags.put(Names.EXTRA_USD, Surcharge.usdPerHour(options).toPlainString());
        String ingress = options.shared().ingress();
        tags.put(Names.INGRESS, ingress.substring(0, Math.min(FleetPlanner.TAG_LENGTH, ingress.length())));
        tagged.insert(0, FleetPlanner.tags("instance", tags));
        return body;
    }

    private static ObjectNode object() {
        return SdkJson.JSON.createObjectNode();
    }

    private Map<String, String> tags() {
        var tags = new TreeMap<String, String>();
        tags.put(Names.OWNER, ownerId);
        tags.put(Names.ROUTER_NAME, spec.name());
        tags.put("Name", "tuna router " + spec.name());
        options.bucket().ifPresent(bucket -> tags.put(Names.BUCKET, bucket));
        return tags;
    }
}
