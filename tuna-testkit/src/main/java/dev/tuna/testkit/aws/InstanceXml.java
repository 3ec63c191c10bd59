package dev.tuna.testkit.aws;

import java.util.List;
import java.util.Optional;

/** How an instance is shown. Stateless. */
final class InstanceXml {

    private InstanceXml() {}

    static List<String> filter(Ec2Call call, StandInInstance instance, String name) {
        boolean gone = instance.state(call.now()) == InstanceState.TERMINATED;
        return switch (name) {
            case "instance-id" -> List.of(instance.id());
            case "instance-state-name" -> List.of(instance.state(call.now()).wire());
            case "instance-state-code" ->
                List.of(String.valueOf(instance.state(call.now()).code()));
            case "instance-type" -> List.of(instance.type().name());
            case "availability-zone" -> List.of(instance.zone().name());
            case "availability-zone-id" -> List.of(instance.zone().id());
            case "image-id" -> List.of(instance.image().id());
            case "instance-lifecycle" -> instance.isSpot() ? List.of("spot") : List.of();
            case "spot-instance-request-id" ->
                instance.spotRequest().map(List::of).orElse(List.of());
            case "client-token" -> List.of(instance.order().clientToken());
            case "reservation-id" -> List.of(instance.reservation());
            case "launch-time" -> List.of(Xml.time(instance.launched()));
            case "vpc-id" -> gone ? List.of() : List.of(call.region().vpc());
            case "subnet-id" -> gone ? List.of() : List.of(instance.zone().subnet());
            case "instance.group-id", "network-interface.group-id" -> gone ? List.of() : instance.groups();
            case "private-ip-address" -> gone ? List.of() : List.of(instance.address());
            case "ip-address" -> gone || !instance.isPublic() ? List.of() : List.of(instance.address());
            case "state-reason-code" -> instance.reasonCode().isEmpty() ? List.of() : List.of(instance.reasonCode());
            case "owner-id" -> List.of(AwsAccount.ID);
            default -> throw Filters.unknown(name);
        };
    }

    static void write(Xml item, Ec2Call call, StandInInstance instance) {
        InstanceState state = instance.state(call.now());
        item.put("instanceId", instance.id())
                .put("imageId", instance.image().id())
                .in("instanceState", state::write)
                .put("reason", userReason(instance))
                .put("amiLaunchIndex", 0)
                .put("instanceType", instance.type().name())
                .put("launchTime", instance.launched())
                .in(
                        "placement",
                        placement -> placement
                                .put("availabilityZone", instance.zone().name())
                                .put("availabilityZoneId", instance.zone().id())
                                .put("tenancy", "default"))
                .in("monitoring", monitoring -> monitoring.put("state", "disabled"))
                .put("architecture", instance.image().architecture())
                .put("rootDeviceType", "ebs")
                .put("rootDeviceName", instance.image().rootDevice())
                .put("virtualizationType", "hvm")
                .put("hypervisor", "xen")
                .put("clientToken", instance.order().clientToken())
                .put("ebsOptimized", instance.spec().flag("EbsOptimized"));
        if (instance.isSpot()) {
            item.put("instanceLifecycle", "spot").maybe("spotInstanceRequestId", instance.spotRequest());
        }
        if (instance.isEnding(call.now())) {
            item.in(
                    "stateReason",
                    reason -> reason.put("code", instance.reasonCode()).put("message", instance.reason()));
        }
        if (state == InstanceState.TERMINATED) {
            item.in("blockDeviceMapping", none -> {})
                    .in("networkInterfaceSet", none -> {})
                    .in("groupSet", none -> {});
        } else {
            network(item, call, instance, state);
        }
        Form metadata = instance.spec().part("MetadataOptions");
        item.in(
                "metadataOptions",
                options -> options.put("state", state == InstanceState.PENDING ? "pending" : "applied")
                        .put("httpTokens", metadata.text("HttpTokens").orElse("optional"))
                        .put("httpPutResponseHopLimit", metadata.number("HttpPutResponseHopLimit", 1))
                        .put("httpEndpoint", metadata.text("HttpEndpoint").orElse("enabled"))
                        .put(
                                "instanceMetadataTags",
                                metadata.text("InstanceMetadataTags").orElse("disabled")));
        item.tags(instance.tags());
    }

    private static String userReason(StandInInstance instance) {
        return instance.ends()
                .filter(at -> instance.reasonCode().equals("Client.UserInitiatedShutdown"))
                .map(at -> "User initiated (" + at.toString().replace('T', ' ').replaceFirst("\\..*|Z", "") + " GMT)")
                .orElse(instance.reasonCode());
    }

    private static void network(Xml item, Ec2Call call, StandInInstance instance, InstanceState state) {
        AwsRegion region = call.region();
        // The public address comes with the running machine.
        Optional<String> reachable = instance.isPublic() && state != InstanceState.PENDING
                ? Optional.of(instance.address())
                : Optional.empty();
        String domain = instance.address().replace('.', '-');
        item.put("privateDnsName", "ip-" + domain + ".ec2.internal")
                .put("privateIpAddress", instance.address())
                .put(
                        "dnsName",
                        reachable
                                .map(address -> "ec2-" + domain + ".compute.amazonaws.com")
                                .orElse(""))
                .maybe("ipAddress", reachable)
                .put("vpcId", region.vpc())
                .put("subnetId", instance.zone().subnet());
        groups(item, region, instance);
        item.list("blockDeviceMapping", instance.volumes(), (mapping, id) -> {
            Volume volume = region.volumes().get(id);
            if (volume != null) {
                mapping.put("deviceName", volume.device())
                        .in(
                                "ebs",
                                ebs -> ebs.put("volumeId", volume.id())
                                        .put("status", "attached")
                                        .put("attachTime", volume.made())
                                        .put("deleteOnTermination", volume.isDeletedOnTermination()));
            }
        });
        item.list("networkInterfaceSet", List.of(instance), (card, each) -> {
            card.put("networkInterfaceId", Ids.fixed("eni", each.id()))
                    .put("subnetId", each.zone().subnet())
                    .put("vpcId", region.vpc())
                    .put("ownerId", AwsAccount.ID)
                    .put("status", "in-use")
                    .put("privateIpAddress", each.address());
            groups(card, region, each);
            reachable.ifPresent(address -> card.in(
                    "association",
                    association -> association.put("publicIp", address).put("ipOwnerId", "amazon")));
        });
    }

    private static void groups(Xml item, AwsRegion region, StandInInstance instance) {
        item.list("groupSet", instance.groups(), (group, id) -> {
            group.put("groupId", id);
            SecurityGroup known = region.groups().get(id);
            if (known != null) {
                group.put("groupName", known.name());
            }
        });
    }
}
