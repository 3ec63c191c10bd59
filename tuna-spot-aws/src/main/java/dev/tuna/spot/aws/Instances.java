package dev.tuna.spot.aws;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.SecretRef;
import dev.tuna.api.Tier;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.ReplicaObservation;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceLifecycleType;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ec2.model.Tag;

/** What an instance of EC2 means as a replica. Pure. */
final class Instances {

    private static final Pattern WHEN =
            Pattern.compile("\\((\\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2}:\\d{2}) (?:GMT|UTC)\\)");
    private static final DateTimeFormatter FORMAT = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss");

    private static final String NO_CAPACITY = "Server.InsufficientInstanceCapacity";

    /** Why a machine ends that EC2 takes, and that did not break. */
    private static final Set<String> TAKEN =
            Set.of("Server.SpotInstanceTermination", "Server.SpotInstanceShutdown", NO_CAPACITY);

    private Instances() {}

    static Optional<String> tag(Instance instance, String key) {
        return instance.tags().stream()
                .filter(tag -> tag.key().equals(key))
                .map(Tag::value)
                .findFirst();
    }

    static InstanceStateName state(Instance instance) {
        return instance.state() == null
                ? InstanceStateName.UNKNOWN_TO_SDK_VERSION
                : instance.state().name();
    }

    static boolean isGone(Instance instance) {
        return state(instance) == InstanceStateName.TERMINATED;
    }

    static boolean isRunning(Instance instance) {
        return state(instance) == InstanceStateName.RUNNING;
    }

    /** Not gone, and not about to be. */
    static boolean lives(Instance instance) {
        return !isGone(instance) && state(instance) != InstanceStateName.SHUTTING_DOWN;
    }

    static boolean isSpot(Instance instance) {
        return instance.instanceLifecycle() == InstanceLifecycleType.SPOT;
    }

    static CapacityPool pool(String region, Instance instance) {
        return new CapacityPool(
                AwsOptions.PROVIDER,
                region,
                instance.placement() == null || instance.placement().availabilityZone() == null
                        ? region
                        : instance.placement().availabilityZone(),
                instance.instanceTypeAsString(),
                isSpot(instance) ? Tier.SPOT : Tier.ON_DEMAND);
    }

    /** Whom to connect to; empty while EC2 has given it no address. */
    static Optional<ReplicaLink.Machine> machine(String region, Instance instance) {
        boolean inside = tag(instance, Names.ADDRESS).filter("private"::equals).isPresent();
        Optional<String> host = Optional.ofNullable(inside ? instance.privateIpAddress() : instance.publicIpAddress())
                .filter(address -> !address.isEmpty());
        Map<String, SecretRef> secrets = new HashMap<>();
        for (Tag tag : instance.tags()) {
            if (tag.key().startsWith(Names.SECRET_PREFIX)) {
                secrets.put(tag.key().substring(Names.SECRET_PREFIX.length()), new SecretRef(tag.value()));
            }
        }
        return host.map(address -> new ReplicaLink.Machine(
                region,
                instance.instanceId(),
                tag(instance, Names.DEPLOYMENT).orElse(""),
                tag(instance, Names.REPLICA).orElse(""),
                address,
                tag(instance, Names.PORT).map(Integer::valueOf).orElse(0),
                tag(instance, Names.ENGINE_KEY).map(SecretRef::new),
                secrets));
    }

    /** When it ended, as far as EC2 says it in words. */
    static Optional<Instant> endedAt(Instance instance) {
        Matcher matcher = WHEN.matcher(String.valueOf(instance.stateTransitionReason()));
        return matcher.find()
                ? Optional.of(LocalDateTime.parse(matcher.group(1), FORMAT).toInstant(ZoneOffset.UTC))
                : Optional.empty();
    }

    private static String reasonCode(Instance instance) {
        return instance.stateReason() == null || instance.stateReason().code() == null
                ? ""
                : instance.stateReason().code();
    }

    /** Why it ended or is ending, for people. */
    static String reason(Instance instance) {
        String code = reasonCode(instance);
        return switch (code) {
            case "Server.SpotInstanceTermination", "Server.SpotInstanceShutdown" ->
                "EC2 took the spot instance back (" + code + ")";
            case NO_CAPACITY -> "EC2 had no capacity after all (" + code + ")";
            case "Client.InstanceInitiatedShutdown" -> "it shut itself down (" + code + ")";
            case "Client.UserInitiatedShutdown" -> "it was terminated (" + code + ")";
            case "Client.VolumeLimitExceeded" -> "the account may have no more volumes (" + code + ")";
            case "" -> "";
            default ->
                code + ": "
                        + AwsErrors.quoted(String.valueOf(instance.stateReason().message()));
        };
    }

    /**
     * An observation.
     *
     * @param region where it is
     * @param instance as EC2 shows it
     * @param report what it says of itself, while it runs
     * @param endedAt when it ended, if it did and that is known
     * @param usdPerHour what a machine of its pool costs now
     */
    static ReplicaObservation observation(
            String region,
            Instance instance,
            Optional<ReplicaLink.Report> report,
            Optional<Instant> endedAt,
            Optional<BigDecimal> usdPerHour) {
        Optional<Instant> launchedAt = Optional.ofNullable(instance.launchTime());
        BigDecimal extra = tag(instance, Names.EXTRA_USD).map(BigDecimal::new).orElse(BigDecimal.ZERO);
        BackendPhase phase = phase(instance, report);
        boolean running = isRunning(instance);
        return new ReplicaObservation(
                phase,
                running ? report.map(ReplicaLink.Report::detail).orElse("the machine boots") : reason(instance),
                Optional.of(pool(region, instance)),
                running ? report.flatMap(ReplicaLink.Report::address) : Optional.empty(),
                running ? report.flatMap(ReplicaLink.Report::interruptionAt) : takenAt(instance, endedAt),
                launchedAt,
                phase == BackendPhase.GONE
                        // EC2 tells it to the second, and the launch more exactly.
                        ? endedAt.map(end -> launchedAt.filter(end::isBefore).orElse(end))
                        : Optional.empty(),
                usdPerHour.map(extra::add),
                running ? report.flatMap(ReplicaLink.Report::rebalanceAt) : Optional.empty(),
                running ? report.flatMap(ReplicaLink.Report::gpu) : Optional.empty());
    }

    /** When EC2 took it, roughly: of a spot instance it tells the moment afterwards only, and not with the instance. */
    private static Optional<Instant> takenAt(Instance instance, Optional<Instant> endedAt) {
        return Optional.of(reasonCode(instance))
                .filter(TAKEN::contains)
                .map(code -> endedAt.or(() -> endedAt(instance))
                        .or(() -> Optional.ofNullable(instance.launchTime()))
                        .orElse(Instant.EPOCH));
    }

    /** Launched a moment ago, and not shown yet. */
    static ReplicaObservation requested() {
        return new ReplicaObservation(
                BackendPhase.REQUESTED,
                "EC2 does not show it yet",
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    static BackendPhase phase(Instance instance, Optional<ReplicaLink.Report> report) {
        return switch (state(instance)) {
            case RUNNING -> report.map(ReplicaLink.Report::phase).orElse(BackendPhase.BOOTING);
            case TERMINATED -> BackendPhase.GONE;
            // Not billed any more, but not confirmed either; nothing of it serves.
            case SHUTTING_DOWN, STOPPING, STOPPED -> BackendPhase.FAILED;
            default -> BackendPhase.REQUESTED;
        };
    }
}
