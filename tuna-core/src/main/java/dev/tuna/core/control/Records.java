package dev.tuna.core.control;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.BackendPhase;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import dev.tuna.api.Tier;
import dev.tuna.core.autoscale.LastReplica;
import dev.tuna.core.autoscale.ScalingMemory;
import dev.tuna.core.budget.LastPrice;
import dev.tuna.core.budget.Restraint;
import dev.tuna.core.config.RequestJson;
import dev.tuna.core.ledger.BilledBackend;
import dev.tuna.core.ledger.ContainerMeter;
import dev.tuna.core.ledger.EndpointMeter;
import dev.tuna.core.ledger.ReplicaMeter;
import dev.tuna.core.ledger.SameTraffic;
import dev.tuna.core.placement.PoolHistory;
import dev.tuna.spi.DeploymentRecord;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.spi.ResourceRecord.State;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What the control loop knows as records of the store, and back. Secrets are no part of it: an address, whose credential is
 * one, is not stored but observed again. Pure.
 */
final class Records {

    private static final Duration LONGEST_REST = Duration.ofHours(1);

    private Records() {}

    static String key(Managed managed, Backend backend) {
        return managed.id() + "/" + backend.id();
    }

    static DeploymentRecord deployment(Managed managed, Instant now) {
        ObjectNode json = PlanJson.MAPPER.createObjectNode();
        json.put("service", managed.name());
        json.put("account", managed.revision().account());
        json.put("revision", managed.revision().number());
        json.put("numbers", managed.revision().numbers());
        json.put("role", managed.revision().role().name());
        json.put("askedAt", managed.revision().askedAt().toString());
        json.put("goal", managed.goal().name());
        json.put("reason", managed.reason());
        json.put("served", managed.served());
        json.put("settled", managed.choice().settled());
        json.put("begun", managed.choice().begun());
        managed.fleet().cloud().ifPresent(cloud -> json.put("cloud", cloud));
        json.put("launched", managed.fleet().launched());
        json.put("bootFailures", managed.fleet().bootFailures());
        restsUntil(managed.fleet()).ifPresent(until -> json.put("restsUntil", until.toString()));
        json.put("target", managed.fleet().scaling().target());
        json.put("replicaPays", managed.fleet().last().pays());
        json.set("history", HistoryJson.write(managed.fleet().history()));
        json.put("cleaned", managed.ending().cleaned());
        ArrayNode removed = json.putArray("removed");
        managed.ending().removed().forEach(removed::add);
        Accounts accounts = managed.accounts();
        accounts.serverlessPrice().ifPresent(price -> json.put("serverlessPrice", price));
        accounts.onDemandPrice().ifPresent(price -> json.put("onDemandPrice", price));
        json.set("traffic", traffic(accounts.stored().traffic()));
        json.set("same", same(accounts.stored().same()));
        return new DeploymentRecord(
                managed.id(),
                managed.revision().outside(),
                managed.phase(),
                RequestJson.write(managed.request()),
                json.toString(),
                managed.createdAt(),
                now);
    }

    static ResourceRecord resource(Managed managed, Backend backend, Instant now) {
        ObjectNode json = PlanJson.MAPPER.createObjectNode();
        json.put("id", backend.id());
        json.put("phase", backend.phase().name());
        json.put("detail", backend.detail());
        json.put("failed", backend.failed());
        json.put("wasReady", backend.readyAt().isPresent());
        json.put("draining", backend.isDraining());
        backend.pool().ifPresent(pool -> json.set("pool", PlanJson.pool(pool)));
        backend.interruptionAt().ifPresent(at -> json.put("interruptionAt", at.toString()));
        backend.rebalanceAt().ifPresent(at -> json.put("rebalanceAt", at.toString()));
        if (backend.relocated()) {
            json.put("relocated", true);
        }
        backend.meter().ifPresent(meter -> json.set("meter", meter(meter)));
        return new ResourceRecord(
                key(managed, backend),
                managed.id(),
                backend.provider(),
                Optional.of(backend.tier()),
                backend.state(),
                backend.ref(),
                backend.plan(),
                json.toString(),
                backend.askedAt(),
                now);
    }

    /** Until when launching rests since replicas did not come up. */
    private static Optional<Instant> restsUntil(Fleet fleet) {
        return fleet.bootFailures() >= Brain.CRASH_LOOP
                ? Optional.of(fleet.retry().notBefore())
                : Optional.empty();
    }

    /** What was known of pools when a record was written; nothing if it cannot be read, since no start depends on it. */
    static PoolHistory history(DeploymentRecord stored, Instant now) {
        try {
            return HistoryJson.read(details(stored).path("history"), now);
        } catch (StoreException | IllegalArgumentException | DateTimeException e) {
            return PoolHistory.NONE;
        }
    }

    /**
     * Whether both would be stored alike. Looks at exactly what {@link #deployment} writes, but for what is known of pools, which
     * all deployments share: it is stored with the one that learned something.
     */
    static boolean sameInStore(Managed left, Managed right) {
        return left.phase() == right.phase()
                && left.revision().role() == right.revision().role()
                && left.revision().numbers() == right.revision().numbers()
                && left.request().equals(right.request())
                && left.fleet().cloud().equals(right.fleet().cloud())
                && left.goal() == right.goal()
                && left.reason().equals(right.reason())
                && left.served() == right.served()
                && left.choice().settled() == right.choice().settled()
                && left.choice().begun() == right.choice().begun()
                && left.fleet().launched() == right.fleet().launched()
                && left.fleet().bootFailures() == right.fleet().bootFailures()
                && restsUntil(left.fleet()).equals(restsUntil(right.fleet()))
                && left.fleet().scaling().target() == right.fleet().scaling().target()
                && left.fleet().last().pays() == right.fleet().last().pays()
                && left.ending().cleaned() == right.ending().cleaned()
                && left.ending().removed().equals(right.ending().removed())
                && left.accounts().serverlessPrice().equals(right.accounts().serverlessPrice())
                && left.accounts().onDemandPrice().equals(right.accounts().onDemandPrice())
                && left.accounts().stored().equals(right.accounts().stored());
    }

    /** Whether both would be stored alike. Looks at exactly what {@link #resource} writes. */
    @SuppressWarnings("ReferenceEquality") // a shortcut: what was not changed is the same object
    static boolean sameInStore(Backend left, Backend right) {
        return left == right
                || (left.state() == right.state()
                        && left.ref().equals(right.ref())
                        && left.phase() == right.phase()
                        && left.detail().equals(right.detail())
                        && left.failed() == right.failed()
                        && left.readyAt().isPresent() == right.readyAt().isPresent()
                        && left.isDraining() == right.isDraining()
                        && left.pool().equals(right.pool())
                        && left.interruptionAt().equals(right.interruptionAt())
                        && left.rebalanceAt().equals(right.rebalanceAt())
                        && left.meter().map(Meter::durable).equals(right.meter().map(Meter::durable)));
    }

    /**
     * A deployment of an earlier process. Nothing is taken for granted about calls that were under way.
     *
     * @param resources its backends, in the order of their making
     * @param tally the ledger of a revision added up
     * @param lastEnd when a replica that is not found any more must have ended; empty if that is not known
     */
    static Managed adopt(
            DeploymentRecord stored,
            Collection<ResourceRecord> resources,
            Function<Revision, Tally> tally,
            Optional<Instant> lastEnd,
            Now now) {
        String where = where(stored);
        try {
            JsonNode json = PlanJson.read(stored.details(), where);
            DeployRequest request = RequestJson.read(stored.request(), "request of " + where);
            Map<String, Backend> backends = new LinkedHashMap<>();
            Revision revision = revision(stored, json, now);
            for (ResourceRecord resource : resources) {
                Backend backend = backend(resource, revision.account(), alwaysOn(request), lastEnd, now);
                backends.put(backend.id(), backend);
            }
            SameTraffic same = sameTraffic(json.path("same"));
            TrafficStats traffic = trafficStats(json.path("traffic"));
            Goal goal = Goal.valueOf(json.path("goal").asText());
            boolean settled = json.path("settled").asBoolean() && isComplete(request, backends.values());
            return new Managed(
                    stored.id(),
                    service(stored, json),
                    revision,
                    request,
                    request.effectiveScaling(),
                    stored.createdAt(),
                    goal,
                    json.path("reason").asText(),
                    stored.phase(),
                    Collections.unmodifiableMap(backends),
                    new Choice(settled, false, Map.of(), json.path("begun").asInt(), Optional.empty(), Retry.NONE),
                    fleet(json, request, same, now),
                    accounts(json, tally.apply(revision), same, traffic, now),
                    ending(json, goal, now),
                    json.path("served").asBoolean(),
                    Map.of(),
                    Map.of(),
                    Restraint.NONE,
                    0,
                    now.steady());
        } catch (IllegalArgumentException | DateTimeException e) {
            throw new StoreException(
                    ErrorCode.STORE_CORRUPT,
                    where + " in the store cannot be read (" + e.getMessage() + "); it was left as it is",
                    e);
        }
    }

    /** The name of the deployment that a revision belongs to. */
    static String service(DeploymentRecord stored) {
        return service(stored, details(stored));
    }

    /** The same, as if that many more replicas had been launched. */
    static DeploymentRecord launchedMore(DeploymentRecord stored, int more, Instant now) {
        ObjectNode json = (ObjectNode) details(stored);
        json.put("launched", json.path("launched").asInt() + more);
        return new DeploymentRecord(
                stored.id(), stored.name(), stored.phase(), stored.request(), json.toString(), stored.createdAt(), now);
    }

    /** Under which the ledger of a deployment is kept, whichever revision is asked about. */
    static String account(DeploymentRecord stored) {
        return details(stored).path("account").asText(stored.id());
    }

    private static String service(DeploymentRecord stored, JsonNode details) {
        return details.path("service").asText(stored.name());
    }

    /** Revisions that were replaced are part of the one that was current at the end. */
    static boolean isCurrent(DeploymentRecord stored) {
        return role(details(stored)).equals(Revision.Role.CURRENT.name());
    }

    private static String role(JsonNode details) {
        return details.path("role").asText(Revision.Role.CURRENT.name());
    }

    private static JsonNode details(DeploymentRecord stored) {
        return PlanJson.read(stored.details(), where(stored));
    }

    private static String where(DeploymentRecord stored) {
        return "deployment '" + stored.name() + "'";
    }

    private static Revision revision(DeploymentRecord stored, JsonNode json, Now now) {
        Instant askedAt =
                json.has("askedAt") ? Instant.parse(json.path("askedAt").asText()) : stored.createdAt();
        return new Revision(
                json.path("account").asText(stored.id()),
                json.path("revision").asInt(1),
                json.path("numbers").asInt(json.path("revision").asInt(1)),
                stored.name(),
                askedAt,
                now,
                Revision.Role.valueOf(role(json)),
                false);
    }

    /** Whether there is an endpoint, and one at each provider asked for: why one is missing is not stored. */
    private static boolean isComplete(DeployRequest request, Collection<Backend> backends) {
        Set<String> providers = backends.stream()
                .filter(Backend::isServerless)
                .map(Backend::provider)
                .collect(Collectors.toSet());
        return !providers.isEmpty() && providers.containsAll(request.serverlessProviders());
    }

    private static Fleet fleet(JsonNode json, DeployRequest request, SameTraffic same, Now now) {
        Duration delay = request.effectiveScaling().spot().downscaleDelay();
        Optional<String> cloud = Optional.ofNullable(json.path("cloud").textValue());
        return new Fleet(
                cloud,
                false,
                false,
                Optional.empty(),
                rest(json, now),
                json.path("bootFailures").asInt(),
                now.steady(),
                Instant.MIN,
                HistoryJson.read(json.path("history"), now.steady()),
                ScalingMemory.startingAt(json.path("target").asInt()),
                LastReplica.resume(
                        now.steady(),
                        delay,
                        json.path("replicaPays").asBoolean(true),
                        same.serverless().time()),
                OptionalLong.empty(),
                Optional.empty(),
                LastPrice.NONE,
                json.path("launched").asInt(),
                false);
    }

    /** Machines that do not come up cost as much in the next process. A clock that was set back must not stop them for ever. */
    private static Retry rest(JsonNode json, Now now) {
        return Optional.ofNullable(json.path("restsUntil").textValue())
                .map(Instant::parse)
                .filter(until -> until.isBefore(now.steady().plus(LONGEST_REST)))
                .map(Retry.NONE::pausedUntil)
                .orElse(Retry.NONE);
    }

    private static Accounts accounts(JsonNode json, Tally tally, SameTraffic same, TrafficStats traffic, Now now) {
        return new Accounts(
                tally,
                same,
                0,
                0,
                price(json.path("serverlessPrice")),
                price(json.path("onDemandPrice")),
                Traffic.past(traffic),
                new Accounts.Stored(traffic, same),
                now.steady());
    }

    private static Ending ending(JsonNode json, Goal goal, Now now) {
        var removed = new ArrayList<String>();
        json.path("removed").forEach(each -> removed.add(each.asText()));
        // Requests of the earlier process died with it: nothing is left to be waited for.
        Optional<Instant> drained = goal == Goal.SERVE ? Optional.empty() : Optional.of(now.steady());
        return new Ending(drained, json.path("cleaned").asBoolean(), removed, Optional.empty(), Retry.NONE);
    }

    /** Containers that run whatever happens, so that a bill counts them before the cloud has been asked again. */
    private static OptionalInt alwaysOn(DeployRequest request) {
        int workers = request.effectiveScaling().serverless().workersMin();
        return workers == 0 ? OptionalInt.empty() : OptionalInt.of(workers);
    }

    private static Backend backend(
            ResourceRecord resource, String account, OptionalInt alwaysOn, Optional<Instant> lastEnd, Now now) {
        JsonNode json = PlanJson.read(resource.details(), "resource '" + resource.key() + "'");
        Tier tier = resource.tier().orElseThrow();
        return new Backend(
                json.path("id").asText(),
                tier,
                resource.provider(),
                resource.plan(),
                resource.createdAt(),
                resource.createdAt().isAfter(now.steady()) ? now.steady() : resource.createdAt(),
                resource.state(),
                true,
                resource.resource(),
                BackendPhase.valueOf(json.path("phase").asText()),
                json.path("detail").asText(),
                json.path("failed").asBoolean(),
                Optional.empty(),
                json.has("pool") ? Optional.of(PlanJson.pool(json.path("pool"))) : Optional.empty(),
                json.path("wasReady").asBoolean() ? Optional.of(now.steady()) : Optional.empty(),
                0,
                false,
                json.path("draining").asBoolean() ? Optional.of(now.steady()) : Optional.empty(),
                Optional.ofNullable(json.path("interruptionAt").textValue()).map(Instant::parse),
                Optional.ofNullable(json.path("rebalanceAt").textValue()).map(Instant::parse),
                json.path("relocated").asBoolean(),
                Optional.empty(),
                tier == Tier.SERVERLESS && resource.state() == State.LIVE ? alwaysOn : OptionalInt.empty(),
                json.has("meter")
                        ? Optional.of(meter(
                                json.path("meter"),
                                resource,
                                account,
                                json.path("id").asText(),
                                lastEnd))
                        : Optional.empty(),
                Optional.empty(),
                resource.state() == State.INTENDED ? Retry.AGAIN : Retry.NONE);
    }

    private static ObjectNode meter(Meter meter) {
        ObjectNode json = PlanJson.MAPPER.createObjectNode();
        if (meter instanceof Meter.Machine machine) {
            json.put("since", machine.bill().since().toString());
            machine.bill().microUsdPerHour().ifPresent(price -> json.put("price", price));
        } else if (meter instanceof Meter.Containers containers) {
            json.put("since", containers.bill().since().toString());
            json.put("entered", containers.bill().entered().toString());
            containers.bill().microUsdPerHour().ifPresent(price -> json.put("price", price));
            json.put("estimated", containers.bill().estimated());
            json.set("reckoned", containerMeter(containers.stored()));
            containers.metered().ifPresent(reading -> json.put("metered", reading.toString()));
            containers.idleWindow().ifPresent(window -> json.put("idleWindow", window.toString()));
        }
        return json;
    }

    private static Meter meter(
            JsonNode json, ResourceRecord resource, String account, String id, Optional<Instant> lastEnd) {
        var who = new BilledBackend(account, resource.tier().orElseThrow(), resource.provider(), id);
        Instant since = Instant.parse(json.path("since").asText());
        OptionalLong price = price(json.path("price"));
        if (!json.has("entered")) {
            return new Meter.Machine(new ReplicaMeter(who, since, price), lastEnd);
        }
        var bill = new EndpointMeter(
                who,
                since,
                Duration.parse(json.path("entered").asText()),
                price,
                json.path("estimated").asBoolean());
        ContainerMeter reckoned = containerMeter(json.path("reckoned"));
        Optional<Duration> metered =
                Optional.ofNullable(json.path("metered").textValue()).map(Duration::parse);
        Optional<Duration> idleWindow =
                Optional.ofNullable(json.path("idleWindow").textValue()).map(Duration::parse);
        return new Meter.Containers(bill, reckoned, reckoned, metered, 0, idleWindow);
    }

    private static ObjectNode containerMeter(ContainerMeter meter) {
        ObjectNode json = PlanJson.MAPPER.createObjectNode();
        json.put("at", meter.at().toString());
        json.put("needed", meter.needed());
        json.put("time", meter.time().toString());
        ArrayNode lingering = json.putArray("lingering");
        meter.lingering()
                .forEach(each -> lingering
                        .addObject()
                        .put("containers", each.containers())
                        .put("until", each.until().toString()));
        return json;
    }

    private static ContainerMeter containerMeter(JsonNode json) {
        List<ContainerMeter.Lingering> lingering = new ArrayList<>();
        json.path("lingering")
                .forEach(each -> lingering.add(new ContainerMeter.Lingering(
                        each.path("containers").asInt(),
                        Instant.parse(each.path("until").asText()))));
        return new ContainerMeter(
                Instant.parse(json.path("at").asText()),
                json.path("needed").asInt(),
                lingering,
                Duration.parse(json.path("time").asText()));
    }

    private static ObjectNode same(SameTraffic same) {
        ObjectNode json = PlanJson.MAPPER.createObjectNode();
        json.set("serverless", containerMeter(same.serverless()));
        json.put("replicasWanted", same.replicasWanted());
        json.put("replicaTime", same.replicaTime().toString());
        return json;
    }

    static SameTraffic sameTraffic(JsonNode json) {
        return new SameTraffic(
                containerMeter(json.path("serverless")),
                json.path("replicasWanted").asInt(),
                Duration.parse(json.path("replicaTime").asText()));
    }

    private static ObjectNode traffic(TrafficStats traffic) {
        ObjectNode json = PlanJson.MAPPER.createObjectNode();
        json.put("requests", traffic.requests());
        json.put("succeeded", traffic.succeeded());
        json.put("failed", traffic.failed());
        json.put("rejected", traffic.rejected());
        json.put("clientErrors", traffic.clientErrors());
        json.put("failedOver", traffic.failedOver());
        ObjectNode byTier = json.putObject("byTier");
        for (Tier tier : Tier.values()) {
            Long count = traffic.byTier().get(tier);
            if (count != null) {
                byTier.put(tier.name(), count);
            }
        }
        return json;
    }

    static TrafficStats trafficStats(JsonNode json) {
        Map<Tier, Long> byTier = new EnumMap<>(Tier.class);
        for (Tier tier : Tier.values()) {
            if (json.path("byTier").has(tier.name())) {
                byTier.put(tier, json.path("byTier").path(tier.name()).asLong());
            }
        }
        return new TrafficStats(
                json.path("requests").asLong(),
                json.path("succeeded").asLong(),
                json.path("failed").asLong(),
                json.path("rejected").asLong(),
                json.path("clientErrors").asLong(),
                json.path("failedOver").asLong(),
                0,
                0,
                byTier);
    }

    private static OptionalLong price(JsonNode json) {
        return json.isNumber() ? OptionalLong.of(json.asLong()) : OptionalLong.empty();
    }
}
