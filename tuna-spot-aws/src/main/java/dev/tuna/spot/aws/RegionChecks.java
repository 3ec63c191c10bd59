package dev.tuna.spot.aws;

import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.PreflightReport.Outcome;
import dev.tuna.api.TunaException;
import dev.tuna.provider.support.Checks;
import dev.tuna.spi.ReplicaSpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Whether machines for a request can be had in one region. Confined to one report. */
final class RegionChecks {

    /** With fewer types a score says nothing. */
    private static final int TYPES_FOR_A_SCORE = 3;

    private static final int LOW_SCORE = 3;

    private final AwsClients clients;
    private final ReplicaSpec spec;
    private final AwsOptions options;
    private final String region;
    private final Instant now;
    private final List<Check> checks = new ArrayList<>();

    private List<MachineType> types = List.of();
    private Set<String> zones = Set.of();
    /** Those that have the smallest of the types. */
    private List<String> smallest = List.of();

    private @Nullable Network network;
    private Images.@Nullable Found image;

    RegionChecks(AwsClients clients, ReplicaSpec spec, AwsOptions options, String region, Instant now) {
        this.clients = clients;
        this.spec = spec;
        this.options = options;
        this.region = region;
        this.now = now;
    }

    /**
     * What was found.
     *
     * @param region where
     * @param checks each check
     * @param types types that would do, the smallest first
     * @param zone a zone that has one of them and a subnet, if there is one
     * @param network where machines would be, if there is one
     * @param image what they would boot, if there is one
     */
    record Result(
            String region,
            List<Check> checks,
            List<MachineType> types,
            Optional<String> zone,
            Optional<Network> network,
            Optional<Images.Found> image) {

        Result {
            checks = List.copyOf(checks);
            types = List.copyOf(types);
        }

        boolean isUsable() {
            return checks.stream()
                    .noneMatch(check -> check.outcome() == Outcome.FAILED || check.outcome() == Outcome.UNKNOWN);
        }
    }

    Result run() {
        told("gpu_offered", "https://aws.amazon.com/ec2/instance-types/", this::offerings);
        told("network", Networks.CREATE_DEFAULT + region, this::network);
        told("image", "set the option ami", this::image);
        if (!types.isEmpty()) {
            quotas();
            scores();
        }
        return new Result(region, checks, types, zone(), Optional.ofNullable(network), Optional.ofNullable(image));
    }

    private Optional<String> zone() {
        Network known = network;
        return known == null || types.isEmpty()
                ? Optional.empty()
                : smallest.stream().filter(known.zones()::contains).findFirst();
    }

    private void told(String name, String fix, Supplier<Check> check) {
        try {
            checks.add(check.get());
        } catch (TunaException e) {
            checks.add(Checks.failed(name, e, fix));
        }
    }

    private Check offerings() {
        RegionView view = new RegionView(
                region, new Market(clients, region).offerings(now), Prices.NONE, Prices.NONE, Optional.empty());
        zones = PoolChoice.fitting(List.of(view), spec.engine(), options).stream()
                .map(offer -> offer.pool().zone())
                .collect(Collectors.toCollection(TreeSet::new));
        types = PoolChoice.fitting(List.of(view), spec.engine(), options).stream()
                .map(offer -> offer.pool().machineType())
                .distinct()
                .flatMap(type -> Optional.ofNullable(view.offerings().types().get(type)).stream())
                .sorted(Comparator.comparingInt(MachineType::vcpus).thenComparing(MachineType::name))
                .toList();
        smallest = types.stream()
                .limit(1)
                .flatMap(type -> view.offerings().zones().getOrDefault(type.name(), List.of()).stream())
                .filter(zones::contains)
                .sorted()
                .toList();
        String wanted = spec.engine().gpuCount() + " x " + spec.engine().gpu();
        return types.isEmpty()
                ? Check.failed(
                        "gpu_offered",
                        region + " has no type with " + wanted + allowed(),
                        "choose another region or GPU: tuna show-gpus --provider aws")
                : Check.passed(
                        "gpu_offered",
                        wanted + ": " + types.stream().map(MachineType::name).collect(Collectors.joining(", ")) + " in "
                                + String.join(", ", zones));
    }

    private String allowed() {
        return (options.instanceTypes().isEmpty() ? "" : " among " + String.join(", ", options.instanceTypes()))
                + (options.zones().isEmpty() ? "" : " in " + String.join(", ", options.zones()));
    }

    private Check network() {
        Optional<Network> found = new Networks(clients, region).find(options.vpc(), options.subnets());
        if (found.isEmpty()) {
            return Check.failed(
                    "network",
                    options.vpc().isPresent() || !options.subnets().isEmpty()
                            ? "the network asked for is not in " + region
                            : "there is no default network in " + region,
                    Networks.CREATE_DEFAULT + region + ", or set the option vpc or subnets");
        }
        network = found.get();
        Set<String> usable = new TreeSet<>(found.get().zones());
        usable.retainAll(zones);
        return !zones.isEmpty() && usable.isEmpty()
                ? Check.failed(
                        "network",
                        found.get().vpc() + " has no subnet in " + String.join(", ", zones),
                        "add a subnet there, or choose others with the option subnets")
                : Check.passed(
                        "network",
                        found.get().vpc() + " with subnets in "
                                + String.join(", ", new TreeSet<>(found.get().zones())));
    }

    private Check image() {
        Images.Found found = new Images(clients, region)
                .find(options.image(region).map(List::of).orElse(options.imageParameters()));
        image = found;
        return Check.passed("image", region + " has " + found.id() + " (" + found.name() + ")");
    }

    /** One market with a quota is enough; without any nothing can be launched. */
    private void quotas() {
        QuotaChecks quotas = new QuotaChecks(clients, region);
        Check spot = quotas.check(true, types);
        Check onDemand = quotas.check(false, types);
        boolean one = spot.outcome() == Outcome.PASSED || onDemand.outcome() == Outcome.PASSED;
        checks.add(one ? softened(spot) : spot);
        checks.add(one ? softened(onDemand) : onDemand);
    }

    static Check softened(Check check) {
        return check.outcome() == Outcome.FAILED || check.outcome() == Outcome.UNKNOWN
                ? new Check(check.name(), Outcome.WARNING, check.message(), check.fix())
                : check;
    }

    /** How likely spare capacity is; those who may not ask do without. */
    private void scores() {
        if (types.size() < TYPES_FOR_A_SCORE) {
            return;
        }
        try {
            TreeMap<String, Integer> scores = new Market(clients, region)
                    .scores(types.stream().map(MachineType::name).toList());
            int best = scores.values().stream().max(Integer::compare).orElse(0);
            String told = scores.entrySet().stream()
                    .map(score -> score.getKey() + " " + score.getValue())
                    .collect(Collectors.joining(", "));
            if (best > 0) {
                checks.add(
                        best <= LOW_SCORE
                                ? Check.warning("spot_placement", "spare capacity is unlikely (1 to 10): " + told)
                                : Check.passed("spot_placement", "how likely spare capacity is (1 to 10): " + told));
            }
        } catch (TunaException e) {
            checks.add(Check.warning(
                    "spot_placement", "AWS does not tell how likely spare capacity is: " + e.getMessage()));
        }
    }
}
