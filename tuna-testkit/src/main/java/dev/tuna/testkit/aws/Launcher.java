package dev.tuna.testkit.aws;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Launches instances and says why one cannot be launched. Confined to the account's lock. */
final class Launcher {

    static final String SPOT_REQUEST = "spot-instances-request";
    static final Set<String> TAGGED = Set.of("instance", "volume", "network-interface", SPOT_REQUEST);

    private final AwsAccount account;

    Launcher(AwsAccount account) {
        this.account = account;
    }

    /** The user data of a launch, which must be Base64 of no more than 16 KB. */
    static void checkUserData(Form spec) {
        spec.text("UserData").ifPresent(data -> {
            byte[] decoded;
            try {
                decoded = Base64.getDecoder().decode(data);
            } catch (IllegalArgumentException e) {
                throw AwsError.bad("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.");
            }
            if (decoded.length > 16 * 1024) {
                throw AwsError.invalid("User data is limited to 16384 bytes");
            }
        });
    }

    /** Why an order cannot be carried out; empty if it can. */
    Optional<AwsError> obstacle(AwsRegion region, LaunchOrder order, Instant now) {
        return permission(order)
                .or(() -> settings(region, order))
                .or(() -> market(region, order, now))
                .or(() -> room(region, order, now));
    }

    private Optional<AwsError> permission(LaunchOrder order) {
        if (!account.allows("ec2:RunInstances")) {
            return Optional.of(AwsError.unauthorized());
        }
        boolean tagged = !order.tags().isEmpty()
                || !order.spec().parts("TagSpecification").isEmpty();
        if (tagged && !account.allows("ec2:CreateTags")) {
            return Optional.of(AwsError.unauthorized());
        }
        if (!order.spec().part("IamInstanceProfile").isEmpty() && !account.allows("iam:PassRole")) {
            return Optional.of(AwsError.unauthorized());
        }
        return order.market() == Market.SPOT && !account.hasSpotRole()
                ? Optional.of(
                        new AwsError(
                                403,
                                "AuthFailure.ServiceLinkedRoleCreationNotPermitted",
                                "The provided credentials do not have permission to create the service-linked role for EC2 Spot Instances."))
                : Optional.empty();
    }

    private Optional<AwsError> settings(AwsRegion region, LaunchOrder order) {
        Form spec = order.spec();
        String imageId = spec.text("ImageId").orElse("");
        Optional<Images.Image> image = region.images().image(imageId);
        if (imageId.isEmpty()) {
            return Optional.of(AwsError.missing("ImageId"));
        }
        if (image.isEmpty()) {
            return Optional.of(AwsError.bad(
                    imageId.matches("ami-([0-9a-f]{8}|[0-9a-f]{17})")
                            ? "InvalidAMIID.NotFound"
                            : "InvalidAMIID.Malformed",
                    "The image id '[" + imageId + "]' does not exist"));
        }
        if (!image.get().architecture().equals(order.type().architecture())) {
            return Optional.of(AwsError.bad(
                    "InvalidParameterValue",
                    "The architecture '%s' of the specified instance type does not match the architecture '%s' of the specified AMI."
                            .formatted(order.type().architecture(), image.get().architecture())));
        }
        for (String group : groupsOf(spec)) {
            if (!region.groups().containsKey(group) || account.hides(group)) {
                return Optional.of(
                        AwsError.bad("InvalidGroup.NotFound", "The security group '" + group + "' does not exist"));
            }
        }
        for (Form mapping : spec.parts("BlockDeviceMapping")) {
            int size = mapping.part("Ebs").number("VolumeSize", image.get().sizeGb());
            if (mapping.text("DeviceName").orElse("").equals(image.get().rootDevice())
                    && size < image.get().sizeGb()) {
                return Optional.of(AwsError.bad(
                        "InvalidBlockDeviceMapping",
                        "Volume of size %dGB is smaller than snapshot '%s', expect size >= %dGB"
                                .formatted(
                                        size,
                                        image.get().snapshot(),
                                        image.get().sizeGb())));
            }
        }
        return Optional.empty();
    }

    private static Optional<AwsError> market(AwsRegion region, LaunchOrder order, Instant now) {
        String zone = order.zone().name();
        if (!region.zonesOf(order.type()).contains(order.zone())) {
            return Optional.of(AwsError.bad(
                    "Unsupported",
                    "Your requested instance type (%s) is not supported in your requested Availability Zone (%s)."
                            .formatted(order.type().name(), zone)));
        }
        if (order.market() == Market.ON_DEMAND) {
            return Optional.empty();
        }
        BigDecimal price = region.prices().at(order.type().name(), zone, now);
        BigDecimal most = order.mostUsdPerHour().orElse(order.type().usdPerHour());
        return price.compareTo(most) > 0
                ? Optional.of(AwsError.bad(
                        "SpotMaxPriceTooLow",
                        "Your Spot request price of %s is lower than the minimum required Spot request fulfillment price of %s."
                                .formatted(most.toPlainString(), price.toPlainString())))
                : Optional.empty();
    }

    private Optional<AwsError> room(AwsRegion region, LaunchOrder order, Instant now) {
        boolean spot = order.market() == Market.SPOT;
        int quota = account.quota(region.name(), order.type().bucket(), spot);
        if (account.vcpusInUse(region, order.type().bucket(), spot, now)
                        + order.type().vcpus()
                > quota) {
            return Optional.of(
                    spot
                            ? AwsError.bad("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")
                            : AwsError.bad(
                                    "VcpuLimitExceeded",
                                    "You have requested more vCPU capacity than your current vCPU limit of " + quota
                                            + " allows for the instance bucket that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit."));
        }
        if (account.freeAddresses(region, order.zone(), now) < 1) {
            return Optional.of(AwsError.bad(
                    "InsufficientFreeAddressesInSubnet",
                    "There are not enough free addresses in subnet '"
                            + order.zone().subnet() + "' to satisfy the requested number of instances."));
        }
        if (account.stock(order.pool()) < 1) {
            return Optional.of(new AwsError(
                    500,
                    "InsufficientInstanceCapacity",
                    spot
                            ? "There is no Spot capacity available that matches your request."
                            : "We currently do not have sufficient %s capacity in the Availability Zone you requested (%s). Our system will be working on provisioning additional capacity."
                                    .formatted(order.type().name(), order.zone().name())));
        }
        return Optional.empty();
    }

    /** Groups by the network interface or the instance itself. */
    private static List<String> groupsOf(Form spec) {
        List<String> groups = new ArrayList<>(spec.texts("SecurityGroupId"));
        spec.parts("NetworkInterface").forEach(card -> groups.addAll(card.texts("SecurityGroupId")));
        return groups;
    }

    StandInInstance launch(AwsRegion region, LaunchOrder order, Instant now) {
        Form spec = order.spec();
        Images.Image image = region.images().image(spec.require("ImageId")).orElseThrow();
        List<String> groups = groupsOf(spec);
        boolean spot = order.market() == Market.SPOT;
        StandInInstance instance = new StandInInstance(
                new StandInInstance.Given(
                        account.ids().next("i"),
                        account.ids().next("r"),
                        spot ? Optional.of(account.ids().nextShort("sir")) : Optional.empty(),
                        region.nextAddress(order.zone()),
                        isPublic(spec),
                        groups.isEmpty() ? List.of(region.defaultGroup().id()) : groups,
                        SpecTags.of(spec, SPOT_REQUEST, TAGGED),
                        account.hiddenAnswers()),
                order,
                image,
                now,
                account.pendingTime());
        addVolumes(region, instance, image, spec);
        region.instances().put(instance.id(), instance);
        account.take(order.pool());
        account.made(region, instance);
        return instance;
    }

    private static boolean isPublic(Form spec) {
        return spec.parts("NetworkInterface").stream()
                .findFirst()
                .flatMap(card -> card.text("AssociatePublicIpAddress"))
                .map(Boolean::parseBoolean)
                .orElse(true);
    }

    private void addVolumes(AwsRegion region, StandInInstance instance, Images.Image image, Form spec) {
        Map<String, String> tags = SpecTags.of(spec, "volume", TAGGED);
        List<Form> mappings = spec.parts("BlockDeviceMapping");
        Form root = mappings.stream()
                .filter(mapping -> mapping.text("DeviceName").orElse("").equals(image.rootDevice()))
                .findFirst()
                .map(mapping -> mapping.part("Ebs"))
                .orElse(Form.of(Map.of()));
        // The root volume goes with its instance unless told otherwise; so does any other that is made at launch.
        addVolume(region, instance, image.rootDevice(), root, image.sizeGb(), image.snapshot(), tags);
        for (Form mapping : mappings) {
            String device = mapping.require("DeviceName");
            if (!device.equals(image.rootDevice()) && !mapping.part("Ebs").isEmpty()) {
                addVolume(region, instance, device, mapping.part("Ebs"), 8, "", tags);
            }
        }
    }

    private void addVolume(
            AwsRegion region,
            StandInInstance instance,
            String device,
            Form settings,
            int sizeGb,
            String snapshot,
            Map<String, String> tags) {
        Volume volume = new Volume(
                account.ids().next("vol"),
                instance,
                device,
                settings,
                settings.number("VolumeSize", sizeGb),
                snapshot,
                settings.text("DeleteOnTermination").map(Boolean::parseBoolean).orElse(true),
                tags);
        region.volumes().put(volume.id(), volume);
        instance.volumes().add(volume.id());
    }
}
