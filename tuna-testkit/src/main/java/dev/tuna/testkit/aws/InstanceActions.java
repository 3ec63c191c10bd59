package dev.tuna.testkit.aws;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Instances. Stateless. */
final class InstanceActions {

    private InstanceActions() {}

    static void addTo(Map<String, Ec2Call.Action> actions) {
        actions.put("RunInstances", InstanceActions::run);
        actions.put("DescribeInstances", InstanceActions::describe);
        actions.put("DescribeInstanceStatus", InstanceActions::status);
        actions.put("DescribeInstanceAttribute", InstanceActions::attribute);
        actions.put("GetConsoleOutput", InstanceActions::console);
        actions.put("TerminateInstances", InstanceActions::terminate);
    }

    // --- launching ---

    private static void run(Ec2Call call, Xml out) {
        Form form = call.form();
        Form own = Form.of(form.flat());
        Form launch = form.part("LaunchTemplate");
        Form spec = own;
        if (!launch.isEmpty()) {
            LaunchTemplate template = TemplateActions.find(call, launch);
            spec = TemplateActions.version(
                            call, template, launch.text("Version").orElse("$Default"))
                    .data()
                    .overlaid(own);
        }
        Launcher.checkUserData(spec);
        int most = form.number("MaxCount", 1);
        int least = form.number("MinCount", 1);
        String typeName = spec.text("InstanceType").orElse("m5.large");
        MachineType type = MachineTypes.named(typeName)
                .orElseThrow(() -> AwsError.invalid("Invalid value '" + typeName + "' for InstanceType."));
        LaunchOrder order = new LaunchOrder(
                spec,
                type,
                zone(call, spec, type),
                market(spec),
                tags(call, spec),
                form.text("ClientToken").orElse(""),
                most(spec));
        Optional<String> before = call.region().tokens().recall("RunInstances", form);
        if (before.isPresent()) {
            call.commit();
            again(call, before.get(), out);
            return;
        }
        Launcher launcher = new Launcher(call.account());
        launcher.obstacle(call.region(), order, call.now()).ifPresent(error -> {
            throw error;
        });
        call.commit();
        List<StandInInstance> made = new ArrayList<>();
        while (made.size() < most
                && launcher.obstacle(call.region(), order, call.now()).isEmpty()) {
            made.add(launcher.launch(call.region(), order, call.now()));
        }
        if (made.size() < least) {
            made.forEach(each -> terminate(call, each));
            throw launcher.obstacle(call.region(), order, call.now()).orElseThrow();
        }
        call.region()
                .tokens()
                .remember(
                        "RunInstances",
                        form,
                        String.join(",", made.stream().map(StandInInstance::id).toList()));
        reservation(call, made, out);
    }

    private static void again(Ec2Call call, String ids, Xml out) {
        List<StandInInstance> made = List.of(ids.split(",")).stream()
                .flatMap(id -> Optional.ofNullable(call.region().instances().get(id)).stream())
                .toList();
        if (made.isEmpty() || made.stream().anyMatch(each -> each.state(call.now()) == InstanceState.TERMINATED)) {
            throw AwsError.bad(
                    "IdempotentInstanceTerminated",
                    "The client token you have provided is associated with a resource that has been terminated.");
        }
        reservation(call, made, out);
    }

    private static Market market(Form spec) {
        Form options = spec.part("InstanceMarketOptions");
        if (!options.text("MarketType").orElse("").equals("spot")) {
            return Market.ON_DEMAND;
        }
        if (options.part("SpotOptions")
                .text("SpotInstanceType")
                .orElse("one-time")
                .equals("persistent")) {
            throw AwsError.invalid("This stand-in makes only one-time spot requests");
        }
        return Market.SPOT;
    }

    private static Optional<BigDecimal> most(Form spec) {
        return spec.part("InstanceMarketOptions")
                .part("SpotOptions")
                .text("MaxPrice")
                .map(BigDecimal::new);
    }

    private static Zone zone(Ec2Call call, Form spec, MachineType type) {
        Optional<String> subnet = spec.text("SubnetId")
                .or(() -> spec.parts("NetworkInterface").stream().findFirst().flatMap(card -> card.text("SubnetId")));
        if (spec.text("SubnetId").isPresent() && !spec.parts("NetworkInterface").isEmpty()) {
            throw AwsError.bad(
                    "InvalidParameterCombination",
                    "Network interfaces and an instance-level subnet ID may not be specified on the same request");
        }
        if (subnet.isPresent()) {
            return call.region().subnet(subnet.get()).orElseThrow(() -> NetworkActions.noSubnet(subnet.get()));
        }
        Optional<String> zone = spec.part("Placement").text("AvailabilityZone");
        return zone.isPresent()
                ? call.region()
                        .zone(zone.get())
                        .orElseThrow(() -> AwsError.invalid("Invalid availability zone: [" + zone.get() + "]"))
                : call.region().zonesOf(type).stream()
                        .findFirst()
                        .orElse(call.region().zones().get(0));
    }

    private static Map<String, String> tags(Ec2Call call, Form spec) {
        Map<String, String> tags = new LinkedHashMap<>(SpecTags.of(spec, "instance", Launcher.TAGGED));
        if (!spec.parts("TagSpecification").isEmpty()) {
            call.needs("ec2:CreateTags");
        }
        return tags;
    }

    private static void reservation(Ec2Call call, List<StandInInstance> made, Xml out) {
        out.put("reservationId", made.get(0).reservation())
                .put("ownerId", AwsAccount.ID)
                .list("instancesSet", made, (item, each) -> InstanceXml.write(item, call, each));
    }

    // --- looking ---

    private static StandInInstance find(Ec2Call call, String id) {
        if (!id.matches("i-([0-9a-f]{8}|[0-9a-f]{17})")) {
            throw AwsError.bad("InvalidInstanceID.Malformed", "Invalid id: \"" + id + "\"");
        }
        return Optional.ofNullable(call.region().instances().get(id))
                .filter(each -> !call.account().hides(each, call.now()))
                .orElseThrow(() ->
                        AwsError.bad("InvalidInstanceID.NotFound", "The instance ID '" + id + "' does not exist"));
    }

    /** Those named, or all that can be seen. */
    private static List<StandInInstance> seen(Ec2Call call) {
        List<String> ids = call.form().texts("InstanceId");
        if (!ids.isEmpty()) {
            if (call.form().text("MaxResults").isPresent()) {
                throw AwsError.bad(
                        "InvalidParameterCombination",
                        "The parameter instancesSet cannot be used with the parameter maxResults");
            }
            return ids.stream().map(id -> find(call, id)).toList();
        }
        return call.region().instances().values().stream()
                .filter(each -> !call.account().hides(each, call.now()))
                .toList();
    }

    private static void describe(Ec2Call call, Xml out) {
        List<StandInInstance> found = seen(call).stream()
                .filter(each -> call.filters().match(each.tags(), name -> InstanceXml.filter(call, each, name)))
                .toList();
        out.list(
                "reservationSet",
                call.page(found, 5, 1000, out),
                (item, each) -> item.put("reservationId", each.reservation())
                        .put("ownerId", AwsAccount.ID)
                        .in("groupSet", none -> {})
                        .list(
                                "instancesSet",
                                List.of(each),
                                (one, instance) -> InstanceXml.write(one, call, instance)));
    }

    private static void status(Ec2Call call, Xml out) {
        boolean all = call.form().flag("IncludeAllInstances");
        List<StandInInstance> found = seen(call).stream()
                .filter(each -> all || each.state(call.now()) == InstanceState.RUNNING)
                .filter(each -> call.filters().match(each.tags(), name -> InstanceXml.filter(call, each, name)))
                .toList();
        out.list("instanceStatusSet", call.page(found, 5, 1000, out), (item, each) -> {
            String checks = each.state(call.now()) != InstanceState.RUNNING
                    ? "not-applicable"
                    : each.isBooted() ? "ok" : "initializing";
            item.put("instanceId", each.id())
                    .put("availabilityZone", each.zone().name())
                    .in("instanceState", each.state(call.now())::write)
                    .in("instanceStatus", status -> status.put("status", checks))
                    .in("systemStatus", status -> status.put("status", checks));
        });
    }

    private static void attribute(Ec2Call call, Xml out) {
        StandInInstance instance = find(call, call.form().require("InstanceId"));
        String attribute = call.form().require("Attribute");
        out.put("instanceId", instance.id());
        switch (attribute) {
            case "userData" ->
                out.in("userData", data -> data.maybe("value", instance.spec().text("UserData")));
            case "instanceInitiatedShutdownBehavior" ->
                out.in(
                        "instanceInitiatedShutdownBehavior",
                        value -> value.put(
                                "value",
                                instance.spec()
                                        .text("InstanceInitiatedShutdownBehavior")
                                        .orElse("stop")));
            case "disableApiTermination" ->
                out.in("disableApiTermination", value -> value.put("value", isProtected(instance)));
            default -> throw AwsError.invalid("Value (" + attribute + ") for parameter attribute is invalid.");
        }
    }

    private static boolean isProtected(StandInInstance instance) {
        return instance.spec().flag("DisableApiTermination");
    }

    private static void console(Ec2Call call, Xml out) {
        StandInInstance instance = find(call, call.form().require("InstanceId"));
        out.put("instanceId", instance.id()).put("timestamp", call.now());
        if (!instance.console().isEmpty()) {
            out.put(
                    "output",
                    Base64.getEncoder().encodeToString(instance.console().getBytes(StandardCharsets.UTF_8)));
        }
    }

    // --- ending ---

    private static void terminate(Ec2Call call, Xml out) {
        List<String> ids = call.form().texts("InstanceId");
        if (ids.isEmpty()) {
            throw AwsError.missing("InstanceId");
        }
        List<StandInInstance> instances =
                ids.stream().distinct().map(id -> find(call, id)).toList();
        instances.stream().filter(InstanceActions::isProtected).findFirst().ifPresent(each -> {
            throw AwsError.bad(
                    "OperationNotPermitted",
                    "The instance '" + each.id()
                            + "' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.");
        });
        call.commit();
        List<InstanceState> before =
                instances.stream().map(each -> each.state(call.now())).toList();
        instances.forEach(each -> terminate(call, each));
        out.list(
                "instancesSet",
                instances,
                (item, each) -> item.put("instanceId", each.id())
                        .in("currentState", each.state(call.now())::write)
                        .in("previousState", before.get(instances.indexOf(each))::write));
    }

    static void terminate(Ec2Call call, StandInInstance instance) {
        instance.end(
                call.now(),
                call.account().shutdownTime(),
                "Client.UserInitiatedShutdown",
                "Client.UserInitiatedShutdown: User initiated shutdown");
    }
}
