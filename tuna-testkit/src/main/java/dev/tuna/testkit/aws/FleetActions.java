package dev.tuna.testkit.aws;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/** Fleets of type instant: one call looks for machines in all pools that are allowed, and that was it. Stateless. */
final class FleetActions {

    /** For instant fleets; volumes are tagged by the launch template. */
    private static final Set<String> TAGGED = Set.of("fleet", "instance");

    private static final int MOST_OVERRIDES = 300;
    private static final int MOST_DELETED = 25;
    private static final Set<String> SPOT_STRATEGIES = Set.of(
            "lowest-price",
            "diversified",
            "capacity-optimized",
            "capacity-optimized-prioritized",
            "price-capacity-optimized");
    private static final Set<String> ON_DEMAND_STRATEGIES = Set.of("lowest-price", "prioritized");

    private FleetActions() {}

    static void addTo(Map<String, Ec2Call.Action> actions) {
        actions.put("CreateFleet", FleetActions::create);
        actions.put("DescribeFleets", FleetActions::describe);
        actions.put("DescribeFleetInstances", FleetActions::describeInstances);
        actions.put("DeleteFleets", FleetActions::delete);
    }

    private static void create(Ec2Call call, Xml out) {
        Form form = call.form();
        if (!form.text("Type").orElse("maintain").equals("instant")) {
            throw AwsError.invalid(
                    "This stand-in makes only fleets of Type instant; without Type, EC2 makes one that maintains its capacity");
        }
        Market market = market(form);
        int target = form.part("TargetCapacitySpecification").number("TotalTargetCapacity", -1);
        if (target < 0) {
            throw AwsError.missing("TargetCapacitySpecification.TotalTargetCapacity");
        }
        String strategy = strategy(form, market);
        List<FleetChoice> choices = choices(call);
        Map<String, String> fleetTags = call.tags("fleet", TAGGED);
        Map<String, String> instanceTags = call.tags("instance", TAGGED);
        Optional<Fleet> before = call.region()
                .tokens()
                .recall("CreateFleet", form)
                .map(call.region().fleets()::get);
        call.commit();
        Fleet fleet = before.orElseGet(() -> {
            Fleet made = new Fleet(call.account().ids().next("fleet"), form, call.now(), fleetTags);
            launch(call, made, ordered(call, choices, market, strategy), market, target, instanceTags);
            call.region().fleets().put(made.id(), made);
            call.region().tokens().remember("CreateFleet", form, made.id());
            return made;
        });
        out.put("fleetId", fleet.id());
        results(out, fleet, market);
    }

    private static Market market(Form form) {
        Form capacity = form.part("TargetCapacitySpecification");
        int spot = capacity.number("SpotTargetCapacity", -1);
        int onDemand = capacity.number("OnDemandTargetCapacity", -1);
        if (spot > 0 && onDemand > 0) {
            throw AwsError.invalid("This stand-in makes fleets of one market at a time");
        }
        if (spot > 0) {
            return Market.SPOT;
        }
        String kind = onDemand > 0
                ? "on-demand"
                : capacity.text("DefaultTargetCapacityType").orElse("on-demand");
        return switch (kind) {
            case "spot" -> Market.SPOT;
            case "on-demand" -> Market.ON_DEMAND;
            default ->
                throw AwsError.invalid("Value (" + kind + ") for parameter DefaultTargetCapacityType is invalid.");
        };
    }

    private static String strategy(Form form, Market market) {
        boolean spot = market == Market.SPOT;
        String strategy = form.part(spot ? "SpotOptions" : "OnDemandOptions")
                .text("AllocationStrategy")
                .orElse("lowest-price");
        if (!(spot ? SPOT_STRATEGIES : ON_DEMAND_STRATEGIES).contains(strategy)) {
            throw AwsError.invalid("Value (" + strategy + ") for parameter AllocationStrategy is invalid.");
        }
        return strategy;
    }

    private static List<FleetChoice> choices(Ec2Call call) {
        List<Form> configs = call.form().parts("LaunchTemplateConfigs");
        if (configs.isEmpty()) {
            throw AwsError.missing("LaunchTemplateConfigs");
        }
        List<FleetChoice> choices = new ArrayList<>();
        for (Form config : configs) {
            Form specification = config.part("LaunchTemplateSpecification");
            LaunchTemplate template = TemplateActions.find(call, specification);
            LaunchTemplate.Version version = TemplateActions.version(call, template, specification.require("Version"));
            List<Form> overrides = config.parts("Overrides");
            if (overrides.isEmpty()) {
                choices.add(new FleetChoice(template, version, Form.of(Map.of())));
            }
            overrides.forEach(override -> choices.add(new FleetChoice(template, version, Form.of(override.flat()))));
        }
        if (choices.size() > MOST_OVERRIDES) {
            throw AwsError.invalid(
                    "The fleet has " + choices.size() + " overrides; at most " + MOST_OVERRIDES + " are allowed");
        }
        choices.forEach(choice -> choice.override()
                .text("SubnetId")
                .filter(subnets -> subnets.contains(","))
                .ifPresent(s -> {
                    throw AwsError.invalid("Only one subnet ID can be given in an override of a fleet of type instant");
                }));
        return choices;
    }

    /** A choice with what is known about its pool; what cannot be read of it is its failure. */
    private record Candidate(
            FleetChoice choice, Optional<LaunchOrder> order, Optional<AwsError> failure, int stock, BigDecimal usd) {}

    private static List<Candidate> ordered(Ec2Call call, List<FleetChoice> choices, Market market, String strategy) {
        List<Candidate> candidates = new ArrayList<>(
                choices.stream().map(choice -> candidate(call, choice, market)).toList());
        Comparator<Candidate> cheapest = Comparator.comparing(Candidate::usd);
        Comparator<Candidate> deepest = Comparator.comparing(Candidate::stock).reversed();
        Comparator<Candidate> first = Comparator.comparing(each -> each.choice().priority());
        int most = candidates.stream().mapToInt(Candidate::stock).max().orElse(0);
        candidates.sort(
                switch (strategy) {
                    // Among the pools with the deepest stock the cheapest, then the others.
                    case "price-capacity-optimized" ->
                        Comparator.<Candidate, Boolean>comparing(each -> each.stock() * 2 < most)
                                .thenComparing(cheapest);
                    case "capacity-optimized" -> deepest;
                    case "capacity-optimized-prioritized" -> deepest.thenComparing(first);
                    case "prioritized" -> first;
                    default -> cheapest;
                });
        return candidates;
    }

    private static Candidate candidate(Ec2Call call, FleetChoice choice, Market market) {
        try {
            MachineType type = MachineTypes.named(choice.type())
                    .orElseThrow(() -> AwsError.invalid("Invalid instance type: " + choice.type()));
            Zone zone = choice.zone(call.region());
            boolean offered = call.region().zonesOf(type).contains(zone);
            BigDecimal usd = market == Market.SPOT && offered
                    ? call.region().prices().at(type.name(), zone.name(), call.now())
                    : type.usdPerHour();
            LaunchOrder order = new LaunchOrder(
                    choice.spec(),
                    type,
                    zone,
                    market,
                    Map.of(),
                    "",
                    choice.override().text("MaxPrice").map(BigDecimal::new));
            return new Candidate(
                    choice, Optional.of(order), Optional.empty(), call.account().stock(order.pool()), usd);
        } catch (AwsError e) {
            return new Candidate(choice, Optional.empty(), Optional.of(e), 0, BigDecimal.ZERO);
        }
    }

    private static void launch(
            Ec2Call call,
            Fleet fleet,
            List<Candidate> candidates,
            Market market,
            int target,
            Map<String, String> tags) {
        Form options = fleet.request().part(market == Market.SPOT ? "SpotOptions" : "OnDemandOptions");
        int least = options.number("MinTargetCapacity", 0);
        boolean onePool = options.flag("SingleInstanceType") && options.flag("SingleAvailabilityZone");
        Launcher launcher = new Launcher(call.account());
        double capacity = 0;

        for (Candidate candidate : candidates) {
            if (capacity >= target || (onePool && capacity > 0)) {
                break;
            }
            Optional<AwsError> obstacle = candidate
                    .failure()
                    .or(() -> launcher.obstacle(call.region(), candidate.order().orElseThrow(), call.now()));
            while (obstacle.isEmpty() && capacity < target) {
                LaunchOrder order = named(candidate, fleet, tags);
                fleet.launched()
                        .add(new Fleet.Launched(
                                candidate.choice(),
                                launcher.launch(call.region(), order, call.now())
                                        .id()));
                capacity += candidate.choice().weight();
                obstacle = capacity < target ? launcher.obstacle(call.region(), order, call.now()) : Optional.empty();
            }
            obstacle.ifPresent(
                    error -> fleet.failed().add(new Fleet.Failed(candidate.choice(), error.code(), error.text())));
        }
        if (capacity < least) {
            fleet.launched().forEach(each -> withdraw(call, each.instance()));
            fleet.launched().clear();
        }
    }

    /** As if it had never been. */
    private static void withdraw(Ec2Call call, String instance) {
        StandInInstance it = Objects.requireNonNull(call.region().instances().remove(instance), instance);
        it.volumes().forEach(call.region().volumes()::remove);
        call.account().stock(it.order().pool(), call.account().stock(it.order().pool()) + 1);
        call.account().made().removeIf(each -> each.instance().equals(it));
    }

    /** EC2's own tags, the template's and the call's. */
    private static LaunchOrder named(Candidate candidate, Fleet fleet, Map<String, String> tags) {
        LaunchOrder order = candidate.order().orElseThrow();
        Map<String, String> all = new LinkedHashMap<>(SpecTags.of(order.spec(), "instance", Launcher.TAGGED));
        all.putAll(tags);
        all.put("aws:ec2:fleet-id", fleet.id());
        all.put("aws:ec2launchtemplate:id", candidate.choice().template().id());
        all.put(
                "aws:ec2launchtemplate:version",
                String.valueOf(candidate.choice().version().number()));
        return new LaunchOrder(
                order.spec(), order.type(), order.zone(), order.market(), all, fleet.id(), order.mostUsdPerHour());
    }

    private static void results(Xml out, Fleet fleet, Market market) {
        out.list("errorSet", fleet.failed(), (item, failed) -> {
            failed.choice().write(item);
            item.put("lifecycle", market.wire()).put("errorCode", failed.code()).put("errorMessage", failed.message());
        });
        Map<FleetChoice, List<String>> groups = new LinkedHashMap<>();
        fleet.launched()
                .forEach(each -> groups.computeIfAbsent(each.choice(), made -> new ArrayList<>())
                        .add(each.instance()));
        out.list("fleetInstanceSet", groups.entrySet(), (item, group) -> {
            group.getKey().write(item);
            item.put("lifecycle", market.wire())
                    .words("instanceIds", group.getValue())
                    .put("instanceType", group.getKey().type());
        });
    }

    private static Fleet find(Ec2Call call, String id) {
        return Optional.ofNullable(call.region().fleets().get(id))
                .orElseThrow(() -> AwsError.bad("InvalidFleetId.NotFound", "The fleet ID '" + id + "' does not exist"));
    }

    /** Instant fleets are shown to those who name them. */
    private static void describe(Ec2Call call, Xml out) {
        List<Fleet> fleets = call.form().texts("FleetId").stream()
                .map(id -> find(call, id))
                .filter(fleet -> call.filters().match(fleet.tags(), name -> switch (name) {
                    case "fleet-state" -> List.of(state(fleet));
                    case "type" -> List.of("instant");
                    default -> throw Filters.unknown(name);
                }))
                .toList();
        out.list("fleetSet", call.page(fleets, 1, 100, out), (item, fleet) -> {
            Market market = market(fleet.request());
            double capacity = fleet.launched().stream()
                    .mapToDouble(each -> each.choice().weight())
                    .sum();
            item.put("fleetId", fleet.id())
                    .put("createTime", fleet.made())
                    .put("fleetState", state(fleet))
                    .put("type", "instant")
                    .maybe("clientToken", fleet.request().text("ClientToken"))
                    .put("fulfilledCapacity", capacity)
                    .put("fulfilledOnDemandCapacity", market == Market.ON_DEMAND ? capacity : 0.0)
                    .tags(fleet.tags());
            results(item, fleet, market);
        });
    }

    private static String state(Fleet fleet) {
        return fleet.deleted().isPresent() ? "deleted_running" : "active";
    }

    private static void describeInstances(Ec2Call call, Xml out) {
        find(call, call.form().require("FleetId"));
        throw AwsError.bad("Unsupported", "DescribeFleetInstances is not supported for fleets of type instant");
    }

    private static void delete(Ec2Call call, Xml out) {
        List<String> ids = call.form().texts("FleetId");
        if (ids.isEmpty()) {
            throw AwsError.missing("FleetId");
        }
        if (ids.size() > MOST_DELETED) {
            throw AwsError.invalid("At most " + MOST_DELETED + " fleets of type instant can be deleted in one request");
        }
        if (!call.form().flag("TerminateInstances")) {
            throw AwsError.invalid("A fleet of type instant can only be deleted together with its instances");
        }
        call.commit();
        List<Fleet> known = ids.stream()
                .flatMap(id -> Optional.ofNullable(call.region().fleets().get(id)).stream())
                .toList();
        for (Fleet fleet : known) {
            fleet.delete(call.now());
            fleet.launched()
                    .forEach(each -> Optional.ofNullable(
                                    call.region().instances().get(each.instance()))
                            .ifPresent(instance -> InstanceActions.terminate(call, instance)));
        }
        List<String> unknown = ids.stream()
                .filter(id -> !call.region().fleets().containsKey(id))
                .toList();
        known.forEach(fleet -> call.region().fleets().remove(fleet.id()));
        out.list(
                "successfulFleetDeletionSet",
                known,
                (item, fleet) -> item.put("fleetId", fleet.id())
                        .put("currentFleetState", "deleted_terminating")
                        .put("previousFleetState", "active"));
        out.list(
                "unsuccessfulFleetDeletionSet",
                unknown,
                (item, id) -> item.put("fleetId", id)
                        .in(
                                "error",
                                error -> error.put("code", "fleetIdDoesNotExist")
                                        .put("message", "The fleet ID '" + id + "' does not exist")));
    }
}
