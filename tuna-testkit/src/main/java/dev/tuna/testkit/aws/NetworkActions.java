package dev.tuna.testkit.aws;

import java.util.List;
import java.util.Map;

/** Regions, zones, networks. Stateless. */
final class NetworkActions {

    private NetworkActions() {}

    static void addTo(Map<String, Ec2Call.Action> actions) {
        actions.put("DescribeRegions", NetworkActions::regions);
        actions.put("DescribeAvailabilityZones", NetworkActions::zones);
        actions.put("DescribeVpcs", NetworkActions::vpcs);
        actions.put("DescribeSubnets", NetworkActions::subnets);
    }

    private static void regions(Ec2Call call, Xml out) {
        List<String> wanted = call.form().texts("RegionName");
        wanted.stream()
                .filter(name -> call.account().region(name).isEmpty())
                .findFirst()
                .ifPresent(name -> {
                    throw AwsError.invalid("Invalid region provided: " + name);
                });
        List<AwsRegion> regions = call.account().regions().stream()
                .filter(region -> wanted.isEmpty() || wanted.contains(region.name()))
                .filter(region -> call.filters().match(Map.of(), name -> switch (name) {
                    case "region-name" -> List.of(region.name());
                    case "opt-in-status" -> List.of("opt-in-not-required");
                    default -> throw Filters.unknown(name);
                }))
                .toList();
        out.list(
                "regionInfo",
                regions,
                (item, region) -> item.put("regionName", region.name())
                        .put("regionEndpoint", "ec2." + region.name() + ".amazonaws.com")
                        .put("optInStatus", "opt-in-not-required"));
    }

    private static void zones(Ec2Call call, Xml out) {
        List<String> names = call.form().texts("ZoneName");
        List<String> ids = call.form().texts("ZoneId");
        names.stream()
                .filter(name -> call.region().zones().stream()
                        .noneMatch(zone -> zone.name().equals(name)))
                .findFirst()
                .ifPresent(name -> {
                    throw AwsError.invalid("Invalid availability zone: [" + name + "]");
                });
        List<Zone> zones = call.region().zones().stream()
                .filter(zone -> names.isEmpty() || names.contains(zone.name()))
                .filter(zone -> ids.isEmpty() || ids.contains(zone.id()))
                .filter(zone -> call.filters().match(Map.of(), name -> switch (name) {
                    case "zone-name" -> List.of(zone.name());
                    case "zone-id" -> List.of(zone.id());
                    case "zone-type" -> List.of("availability-zone");
                    case "region-name" -> List.of(call.region().name());
                    case "state" -> List.of("available");
                    case "opt-in-status" -> List.of("opt-in-not-required");
                    default -> throw Filters.unknown(name);
                }))
                .toList();
        out.list(
                "availabilityZoneInfo",
                zones,
                (item, zone) -> item.put("zoneName", zone.name())
                        .put("zoneId", zone.id())
                        .put("zoneState", "available")
                        .put("zoneType", "availability-zone")
                        .put("optInStatus", "opt-in-not-required")
                        .put("groupName", call.region().name() + "-zg-1")
                        .put("networkBorderGroup", call.region().name())
                        .put("regionName", call.region().name())
                        .in("messageSet", none -> {}));
    }

    private static void vpcs(Ec2Call call, Xml out) {
        AwsRegion region = call.region();
        List<String> wanted = call.form().texts("VpcId");
        wanted.stream().filter(id -> !id.equals(region.vpc())).findFirst().ifPresent(id -> {
            throw AwsError.bad("InvalidVpcID.NotFound", "The vpc ID '" + id + "' does not exist");
        });
        List<String> vpcs = call.filters().match(Map.of(), name -> switch (name) {
                    case "vpc-id" -> List.of(region.vpc());
                    case "is-default", "isDefault" -> List.of("true");
                    case "state" -> List.of("available");
                    case "cidr", "cidr-block-association.cidr-block" -> List.of(region.cidr());
                    case "owner-id" -> List.of(AwsAccount.ID);
                    default -> throw Filters.unknown(name);
                })
                ? List.of(region.vpc())
                : List.of();
        List<String> page = call.page(vpcs, 5, 1000, out);
        out.list(
                "vpcSet",
                page,
                (item, vpc) -> item.put("vpcId", vpc)
                        .put("ownerId", AwsAccount.ID)
                        .put("state", "available")
                        .put("cidrBlock", region.cidr())
                        .put("instanceTenancy", "default")
                        .put("isDefault", true));
    }

    private static void subnets(Ec2Call call, Xml out) {
        AwsRegion region = call.region();
        List<String> wanted = call.form().texts("SubnetId");
        wanted.stream().filter(id -> region.subnet(id).isEmpty()).findFirst().ifPresent(id -> {
            throw noSubnet(id);
        });
        List<Zone> zones = region.zones().stream()
                .filter(zone -> wanted.isEmpty() || wanted.contains(zone.subnet()))
                .filter(zone -> call.filters().match(Map.of(), name -> switch (name) {
                    case "subnet-id" -> List.of(zone.subnet());
                    case "vpc-id" -> List.of(region.vpc());
                    case "availability-zone", "availabilityZone" -> List.of(zone.name());
                    case "availability-zone-id", "availabilityZoneId" -> List.of(zone.id());
                    case "default-for-az", "defaultForAz", "map-public-ip-on-launch" -> List.of("true");
                    case "state" -> List.of("available");
                    case "owner-id" -> List.of(AwsAccount.ID);
                    default -> throw Filters.unknown(name);
                }))
                .toList();
        List<Zone> page = call.page(zones, 5, 1000, out);
        out.list(
                "subnetSet",
                page,
                (item, zone) -> item.put("subnetId", zone.subnet())
                        .put(
                                "subnetArn",
                                "arn:aws:ec2:" + region.name() + ":" + AwsAccount.ID + ":subnet/" + zone.subnet())
                        .put("state", "available")
                        .put("ownerId", AwsAccount.ID)
                        .put("vpcId", region.vpc())
                        .put("cidrBlock", zone.cidr())
                        .put("availableIpAddressCount", call.account().freeAddresses(region, zone, call.now()))
                        .put("availabilityZone", zone.name())
                        .put("availabilityZoneId", zone.id())
                        .put("defaultForAz", true)
                        .put("mapPublicIpOnLaunch", true));
    }

    static AwsError noSubnet(String id) {
        return AwsError.bad("InvalidSubnetID.NotFound", "The subnet ID '" + id + "' does not exist");
    }
}
