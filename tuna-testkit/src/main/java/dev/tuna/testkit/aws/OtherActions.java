package dev.tuna.testkit.aws;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Volumes, spot requests and tags. Stateless. */
final class OtherActions {

    private OtherActions() {}

    static void addTo(Map<String, Ec2Call.Action> actions) {
        actions.put("DescribeVolumes", OtherActions::volumes);
        actions.put("DeleteVolume", OtherActions::deleteVolume);
        actions.put("DescribeSpotInstanceRequests", OtherActions::spotRequests);
        actions.put("CancelSpotInstanceRequests", OtherActions::cancelSpotRequests);
        actions.put("CreateTags", OtherActions::createTags);
        actions.put("DeleteTags", OtherActions::deleteTags);
        actions.put("DescribeTags", OtherActions::describeTags);
    }

    // --- volumes ---

    private static Volume volume(Ec2Call call, String id) {
        return Optional.ofNullable(call.region().volumes().get(id))
                .orElseThrow(() -> AwsError.bad("InvalidVolume.NotFound", "The volume '" + id + "' does not exist."));
    }

    private static void volumes(Ec2Call call, Xml out) {
        List<String> wanted = call.form().texts("VolumeId");
        wanted.forEach(id -> volume(call, id));
        List<Volume> volumes = call.region().volumes().values().stream()
                .filter(each -> wanted.isEmpty() || wanted.contains(each.id()))
                .filter(each -> call.filters().match(each.tags(), name -> switch (name) {
                    case "volume-id" -> List.of(each.id());
                    case "status" -> List.of(status(each));
                    case "attachment.instance-id" ->
                        each.instance().map(List::of).orElse(List.of());
                    case "attachment.device" -> List.of(each.device());
                    case "attachment.delete-on-termination" -> List.of(String.valueOf(each.isDeletedOnTermination()));
                    case "availability-zone" -> List.of(each.zone());
                    case "size" -> List.of(String.valueOf(each.sizeGb()));
                    case "encrypted" -> List.of(String.valueOf(each.settings().flag("Encrypted")));
                    default -> throw Filters.unknown(name);
                }))
                .toList();
        out.list("volumeSet", call.page(volumes, 5, 1000, out), OtherActions::write);
    }

    private static String status(Volume volume) {
        return volume.instance().isPresent() ? "in-use" : "available";
    }

    private static void write(Xml item, Volume volume) {
        item.put("volumeId", volume.id())
                .put("size", volume.sizeGb())
                .put("snapshotId", volume.snapshot())
                .put("availabilityZone", volume.zone())
                .put("status", status(volume))
                .put("createTime", volume.made())
                .put("volumeType", volume.settings().text("VolumeType").orElse("gp3"))
                .put("iops", volume.settings().number("Iops", 3000))
                .put("throughput", volume.settings().number("Throughput", 125))
                .put("encrypted", volume.settings().flag("Encrypted"))
                .put("multiAttachEnabled", false)
                .list(
                        "attachmentSet",
                        volume.instance().map(List::of).orElse(List.of()),
                        (attachment, instance) -> attachment
                                .put("volumeId", volume.id())
                                .put("instanceId", instance)
                                .put("device", volume.device())
                                .put("status", "attached")
                                .put("attachTime", volume.made())
                                .put("deleteOnTermination", volume.isDeletedOnTermination()))
                .tags(volume.tags());
    }

    private static void deleteVolume(Ec2Call call, Xml out) {
        Volume volume = volume(call, call.form().require("VolumeId"));
        volume.instance().ifPresent(instance -> {
            throw AwsError.bad("VolumeInUse", "Volume " + volume.id() + " is currently attached to " + instance);
        });
        call.commit();
        call.region().volumes().remove(volume.id());
        out.put("return", true);
    }

    // --- spot requests ---

    private static void spotRequests(Ec2Call call, Xml out) {
        List<String> wanted = call.form().texts("SpotInstanceRequestId");
        wanted.forEach(id -> spotInstance(call, id));
        List<StandInInstance> spot = call.region().instances().values().stream()
                .filter(each -> each.spotRequest().isPresent())
                .filter(each ->
                        wanted.isEmpty() || wanted.contains(each.spotRequest().orElseThrow()))
                .filter(each -> call.filters().match(each.spotTags(), name -> switch (name) {
                    case "spot-instance-request-id" ->
                        List.of(each.spotRequest().orElseThrow());
                    case "instance-id" -> List.of(each.id());
                    case "state" -> List.of(requestState(each, call.now()));
                    case "status-code" -> List.of(requestStatus(each, call.now()));
                    case "launched-availability-zone" -> List.of(each.zone().name());
                    case "type" -> List.of("one-time");
                    default -> throw Filters.unknown(name);
                }))
                .toList();
        out.list(
                "spotInstanceRequestSet",
                call.page(spot, 5, 1000, out),
                (item, each) -> item.put(
                                "spotInstanceRequestId", each.spotRequest().orElseThrow())
                        .put("instanceId", each.id())
                        .put("type", "one-time")
                        .put("state", requestState(each, call.now()))
                        .in(
                                "status",
                                status -> status.put("code", requestStatus(each, call.now()))
                                        .put("message", requestStatus(each, call.now()))
                                        .put("updateTime", each.ends().orElse(each.launched())))
                        .put("createTime", each.launched())
                        .put("productDescription", "Linux/UNIX")
                        .put("launchedAvailabilityZone", each.zone().name())
                        .put("launchedAvailabilityZoneId", each.zone().id())
                        .put("instanceInterruptionBehavior", "terminate")
                        .tags(each.spotTags()));
    }

    private static StandInInstance spotInstance(Ec2Call call, String request) {
        return call.region().instances().values().stream()
                .filter(each -> each.spotRequest().filter(request::equals).isPresent())
                .findFirst()
                .orElseThrow(() -> AwsError.bad(
                        "InvalidSpotInstanceRequestID.NotFound",
                        "The spot instance request ID '" + request + "' does not exist"));
    }

    private static String requestState(StandInInstance instance, Instant now) {
        if (instance.isEnding(now)) {
            return "closed";
        }
        return instance.isRequestCancelled() ? "cancelled" : "active";
    }

    private static String requestStatus(StandInInstance instance, Instant now) {
        if (instance.isEnding(now)) {
            return instance.reasonCode().equals(AwsAccount.TAKEN)
                    ? "instance-terminated-no-capacity"
                    : "instance-terminated-by-user";
        }
        if (instance.notice().isPresent()) {
            return "marked-for-termination";
        }
        return instance.isRequestCancelled() ? "request-canceled-and-instance-running" : "fulfilled";
    }

    private static void cancelSpotRequests(Ec2Call call, Xml out) {
        List<StandInInstance> cancelled = call.form().texts("SpotInstanceRequestId").stream()
                .map(id -> spotInstance(call, id))
                .toList();
        call.commit();
        cancelled.forEach(StandInInstance::cancelRequest);
        out.list(
                "spotInstanceRequestSet",
                cancelled,
                (item, each) -> item.put(
                                "spotInstanceRequestId", each.spotRequest().orElseThrow())
                        .put("state", requestState(each, call.now())));
    }

    // --- tags ---

    private record Tagged(String id, String type, Map<String, String> tags) {}

    private static List<Tagged> tagged(AwsRegion region) {
        List<Tagged> all = new ArrayList<>();
        region.instances().values().forEach(each -> {
            all.add(new Tagged(each.id(), "instance", each.tags()));
            each.spotRequest().ifPresent(id -> all.add(new Tagged(id, "spot-instances-request", each.spotTags())));
        });
        region.volumes().values().forEach(each -> all.add(new Tagged(each.id(), "volume", each.tags())));
        region.groups().values().forEach(each -> all.add(new Tagged(each.id(), "security-group", each.tags())));
        region.templates().values().forEach(each -> all.add(new Tagged(each.id(), "launch-template", each.tags())));
        region.fleets().values().forEach(each -> all.add(new Tagged(each.id(), "fleet", each.tags())));
        return all;
    }

    /** Whether all that a call is about exists and has a tag. */
    static boolean areTagged(Ec2Call call, String key) {
        List<String> named = new ArrayList<>();
        for (String kind : List.of("InstanceId", "FleetId", "LaunchTemplateId", "GroupId", "VolumeId")) {
            named.addAll(call.form().texts(kind));
            call.form().text(kind).ifPresent(named::add);
        }
        call.form()
                .text("LaunchTemplateName")
                .ifPresent(name -> named.add(call.region().templates().values().stream()
                        .filter(template -> template.name().equals(name))
                        .map(LaunchTemplate::id)
                        .findFirst()
                        .orElse(name)));
        List<String> tagged = tagged(call.region()).stream()
                .filter(each -> each.tags().containsKey(key))
                .map(Tagged::id)
                .toList();
        return tagged.containsAll(named);
    }

    private static List<Tagged> named(Ec2Call call) {
        List<String> ids = call.form().texts("ResourceId");
        if (ids.isEmpty()) {
            throw AwsError.missing("resourcesSet");
        }
        List<Tagged> all = tagged(call.region());
        return ids.stream()
                .map(id -> all.stream()
                        .filter(each -> each.id().equals(id))
                        .findFirst()
                        .orElseThrow(() -> AwsError.bad(
                                id.startsWith("i-") ? "InvalidInstanceID.NotFound" : "InvalidID",
                                "The ID '" + id + "' is not valid")))
                .toList();
    }

    private static void createTags(Ec2Call call, Xml out) {
        List<Tagged> targets = named(call);
        Map<String, String> tags = SpecTags.read(call.form());
        if (tags.isEmpty()) {
            throw AwsError.missing("Tag");
        }
        call.commit();
        targets.forEach(each -> each.tags().putAll(tags));
        out.put("return", true);
    }

    /** A tag goes if its value is not given or right. */
    private static void deleteTags(Ec2Call call, Xml out) {
        List<Tagged> targets = named(call);
        call.commit();
        for (Form tag : call.form().parts("Tag")) {
            String key = tag.require("Key");
            Optional<String> value = tag.text("Value");
            targets.stream()
                    .filter(each -> value.map(given -> given.equals(each.tags().get(key)))
                            .orElse(true))
                    .forEach(each -> each.tags().remove(key));
        }
        out.put("return", true);
    }

    private record OneTag(Tagged of, String key, String value) {}

    private static void describeTags(Ec2Call call, Xml out) {
        List<OneTag> found = tagged(call.region()).stream()
                .flatMap(each -> new TreeMap<>(each.tags())
                        .entrySet().stream().map(tag -> new OneTag(each, tag.getKey(), tag.getValue())))
                .filter(tag -> call.filters().match(Map.of(tag.key(), tag.value()), name -> switch (name) {
                    case "key" -> List.of(tag.key());
                    case "value" -> List.of(tag.value());
                    case "resource-id" -> List.of(tag.of().id());
                    case "resource-type" -> List.of(tag.of().type());
                    default -> throw Filters.unknown(name);
                }))
                .toList();
        out.list(
                "tagSet",
                call.page(found, 5, 1000, out),
                (item, tag) -> item.put("resourceId", tag.of().id())
                        .put("resourceType", tag.of().type())
                        .put("key", tag.key())
                        .put("value", tag.value()));
    }
}
