package dev.tuna.testkit.aws;

import java.util.Map;
import java.util.Optional;

/**
 * One override of a fleet: what may be launched.
 *
 * @param template the launch template
 * @param version its version
 * @param override the override as it was sent; may be empty
 */
record FleetChoice(LaunchTemplate template, LaunchTemplate.Version version, Form override) {

    String type() {
        return override.text("InstanceType")
                .or(() -> version.data().text("InstanceType"))
                .orElseThrow(() -> AwsError.missing("InstanceType"));
    }

    double priority() {
        return override.text("Priority").map(Double::parseDouble).orElse(Double.MAX_VALUE);
    }

    double weight() {
        return override.text("WeightedCapacity").map(Double::parseDouble).orElse(1.0);
    }

    /** Where, by subnet or by zone; without either the first zone that has the type. */
    Zone zone(AwsRegion region) {
        Optional<String> subnet = override.text("SubnetId")
                .or(() -> version.data().parts("NetworkInterface").stream()
                        .findFirst()
                        .flatMap(card -> card.text("SubnetId")));
        Optional<String> zone = override.text("AvailabilityZone")
                .or(() -> override.part("Placement").text("AvailabilityZone"))
                .or(() -> version.data().part("Placement").text("AvailabilityZone"));
        if (subnet.isPresent()) {
            return region.subnet(subnet.get()).orElseThrow(() -> NetworkActions.noSubnet(subnet.get()));
        }
        if (zone.isPresent()) {
            return region.zone(zone.get())
                    .orElseThrow(() -> AwsError.invalid("Invalid availability zone: [" + zone.get() + "]"));
        }
        return MachineTypes.named(type())
                .flatMap(known -> region.zonesOf(known).stream().findFirst())
                .orElse(region.zones().get(0));
    }

    /** What is launched: the template, and what the override says instead. */
    Form spec() {
        return override.text("ImageId")
                .map(image -> version.data().overlaid(Form.of(Map.of("ImageId", image))))
                .orElse(version.data());
    }

    void write(Xml out) {
        out.in(
                "launchTemplateAndOverrides",
                both -> both.in(
                                "launchTemplateSpecification",
                                specification -> specification
                                        .put("launchTemplateId", template.id())
                                        .put("version", version.number()))
                        .in("overrides", this::writeOverride));
    }

    private void writeOverride(Xml out) {
        out.maybe("instanceType", override.text("InstanceType"))
                .maybe("maxPrice", override.text("MaxPrice"))
                .maybe("subnetId", override.text("SubnetId"))
                .maybe("availabilityZone", override.text("AvailabilityZone"))
                .maybe("weightedCapacity", override.text("WeightedCapacity"))
                .maybe("priority", override.text("Priority"))
                .maybe("imageId", override.text("ImageId"));
    }
}
