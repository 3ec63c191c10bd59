package dev.tuna.core.simulation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tuna.api.BackendPhase;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.SpotState;
import dev.tuna.api.Tier;
import dev.tuna.core.config.RequestJson;
import dev.tuna.core.control.ControlTimings;
import dev.tuna.spi.DeploymentRecord;
import dev.tuna.spi.LedgerEntry;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.spi.StateChange;
import dev.tuna.testkit.cloud.model.EndpointView;
import dev.tuna.testkit.cloud.model.ReplicaView;
import dev.tuna.testkit.cloud.simulated.CloudCall;
import dev.tuna.testkit.cloud.simulated.CloudCall.Operation;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What must hold whatever happens. What runs in a cloud changes by calls, what is known of it by writes: most is checked
 * there, at every single one. Confined to the thread of the time.
 */
final class Invariants {

    /** After this long without any fault a request has its answer. */
    static final Duration ANSWERED_WITHIN = Duration.ofMinutes(15);

    /** How long before its cloud takes it a machine may be given back, and what time a call needs to get there. */
    private static final Duration GIVEN_BACK = Duration.ofSeconds(6);

    private static final Set<BackendPhase> PASSING = EnumSet.of(BackendPhase.REQUESTED, BackendPhase.DRAINING);

    private static final ObjectMapper JSON = new ObjectMapper();

    private final World world;
    /** Provider and token or endpoint, to the keys of the records that are not gone. */
    private final Map<String, Set<String>> known = new HashMap<>();
    /** Record key to what it plans. */
    private final Map<String, String> plans = new HashMap<>();
    /** Deployment id to what the disk has of it. */
    private final Map<String, Revision> revisions = new HashMap<>();
    /** What providers call a deployment, to its id. */
    private final Map<String, String> outside = new HashMap<>();
    /** Launch token to what the ledger calls the replica. */
    private final Map<String, String> replicas = new HashMap<>();
    /** What the ledger has of each replica, and of each service's endpoints at each provider. */
    private final Map<String, Duration> ledger = new TreeMap<>();

    private long launches;

    /** One revision of a service. */
    private record Revision(
            String service, String outside, String account, boolean current, String text, DeployRequest request) {}

    Invariants(World world) {
        this.world = world;
    }

    long launches() {
        return launches;
    }

    /** Just after a write. */
    void saved(StateChange change) {
        change.deployments().forEach(this::saved);
        change.resources().forEach(this::saved);
        change.ledger().forEach(this::entered);
    }

    private void saved(DeploymentRecord record) {
        JsonNode details = json(record.details());
        Revision known = revisions.get(record.id());
        DeployRequest request = known != null && known.text().equals(record.request())
                ? known.request()
                : RequestJson.read(record.request(), record.id());
        revisions.put(
                record.id(),
                new Revision(
                        details.path("service").asText(),
                        record.name(),
                        details.path("account").asText(),
                        details.path("role").asText().equals("CURRENT"),
                        record.request(),
                        request));
        outside.put(record.name(), record.id());
        if (record.phase() == DeploymentPhase.DESTROYED || record.phase() == DeploymentPhase.FAILED) {
            List<String> left = running(record.name());
            if (!left.isEmpty()) {
                world.violated(record.name() + " is " + record.phase() + " while " + left + " run");
            }
        }
    }

    private static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private Revision revision(String id) {
        return Objects.requireNonNull(revisions.get(id));
    }

    private List<String> running(String name) {
        var left = new ArrayList<String>();
        world.replicas().stream()
                .filter(replica -> replica.deployment().equals(name))
                .forEach(replica -> left.add(replica.id()));
        world.clouds()
                .forEach(cloud -> cloud.running().endpoints().stream()
                        .filter(endpoint -> endpoint.deployment().equals(name))
                        .forEach(endpoint -> left.add(endpoint.name())));
        return left;
    }

    private void saved(ResourceRecord record) {
        String planned = plans.computeIfAbsent(record.key(), key -> planned(record));
        if (record.state() != ResourceRecord.State.GONE) {
            known.computeIfAbsent(planned, key -> new TreeSet<>()).add(record.key());
            return;
        }
        Set<String> keys = known.getOrDefault(planned, new TreeSet<>());
        keys.remove(record.key());
        if (keys.isEmpty()) {
            known.remove(planned);
            if (runs(planned)) {
                world.violated(record.key() + " counts as gone while " + planned + " runs");
            }
        }
    }

    private String planned(ResourceRecord record) {
        JsonNode plan = json(record.plan());
        if (!plan.has("token")) {
            return record.provider() + " " + plan.path("resource").path("id").asText();
        }
        String token = plan.path("token").asText();
        String account = revision(record.deploymentId()).account();
        replicas.put(token, account + " " + json(record.details()).path("id").asText());
        return record.provider() + " " + token;
    }

    private boolean runs(String planned) {
        String[] parts = planned.split(" ");
        return parts[0].equals("spot")
                ? world.replicas().stream().anyMatch(replica -> replica.token().equals(parts[1]))
                : world.endpoints(parts[0]).stream()
                        .anyMatch(endpoint -> endpoint.name().equals(parts[1]));
    }

    private void entered(LedgerEntry entry) {
        if (entry.billed().isNegative()) {
            world.violated("negative time in the ledger: " + entry);
        }
        String key = entry.tier() == Tier.SERVERLESS
                ? revision(entry.deploymentId()).service() + " at " + entry.provider()
                : entry.deploymentId() + " " + entry.backend();
        ledger.merge(key, entry.billed(), Duration::plus);
    }

    /** Just before a call reaches its cloud. */
    void calling(CloudCall call) {
        if (call.operation() == Operation.LAUNCH) {
            launching(call.target());
        }
        if (call.operation() == Operation.TERMINATE) {
            terminating(call.target());
        }
        if ((call.operation() == Operation.LAUNCH || call.operation() == Operation.PUT_ENDPOINT)
                && !known.containsKey(call.provider() + " " + call.target())) {
            world.violated(call.operation() + " of " + call.target() + " before it is on disk");
        }
    }

    private void launching(String token) {
        List<ReplicaView> live = world.replicas();
        if (live.stream().anyMatch(replica -> replica.token().equals(token))) {
            return;
        }
        launches++;
        String name = revision(token.substring(0, token.lastIndexOf("-r"))).outside();
        int most = revision(token.substring(0, token.lastIndexOf("-r")))
                .request()
                .effectiveScaling()
                .spot()
                .maxReplicas();
        List<ReplicaView> others = live.stream()
                .filter(replica -> replica.deployment().equals(name))
                .filter(replica -> replica.interruptionAt().isEmpty())
                .toList();
        boolean changesPlace = others.stream()
                .anyMatch(replica ->
                        replica.rebalanceAt().isPresent() || replica.pool().endsWith(Tier.ON_DEMAND.name()));
        if (others.size() >= (changesPlace ? most + 1 : most)) {
            world.violated("launch of " + token + " with " + others.size() + " running, at most " + most + " allowed");
        }
    }

    /** Who works is not stopped before it has finished what it has, or its time to do so is over. */
    private void terminating(String id) {
        world.replicas().stream()
                .filter(replica -> replica.id().equals(id) && replica.phase() == BackendPhase.READY)
                .forEach(replica -> world.router().ifPresent(router -> terminating(replica, router)));
    }

    private void terminating(ReplicaView replica, SimulatedRouter router) {
        URI machine = replica.address().orElseThrow();
        int inFlight = router.inFlight(machine);
        Duration unchosen = router.unchosen(machine);
        boolean taken = replica.interruptionAt()
                .filter(end -> world.clocksDiffer() || !end.minus(GIVEN_BACK).isAfter(world.time.instant()))
                .isPresent();
        if (inFlight > 0
                && world.first.answers(machine)
                && !taken
                && unchosen.compareTo(ControlTimings.DEFAULT.drainLimit()) < 0) {
            world.violated(replica.id() + " is terminated with " + inFlight + " requests in flight, " + unchosen
                    + " after the last one was sent there");
        }
    }

    /** Now and then. */
    void watch(Chaos chaos) {
        if (chaos.calmFor().compareTo(ANSWERED_WITHIN) <= 0) {
            return;
        }
        for (Deployment deployment : world.deployments()) {
            world.router()
                    .ifPresent(router -> router.oldest(deployment.name()).ifPresent(since -> {
                        Duration waited = Duration.ofNanos(world.time.nanoTime() - since);
                        if (waited.compareTo(ANSWERED_WITHIN) > 0) {
                            world.violated("a request of " + deployment.name() + " waits for " + waited + " in a calm: "
                                    + deployment.status());
                        }
                    }));
        }
    }

    /** After hours without faults: everything is as it was asked for. */
    void settled(Clients clients) {
        for (Deployment deployment : world.deployments()) {
            DeploymentStatus status = deployment.status();
            Revision current = current(status.name());
            if (status.phase() != DeploymentPhase.ACTIVE) {
                world.violated(status.name() + " is still " + status.phase() + " after hours of calm: " + status);
            }
            if (status.problems().stream().anyMatch(problem -> !mayStay(problem, status))) {
                world.violated(status.name() + " has problems after hours of calm: " + status.problems());
            }
            if (!deployment.ready().isDone() || deployment.ready().isCompletedExceptionally()) {
                world.violated(status.name() + " has not served after hours of calm: " + status);
            }
            settled(status, current, clients);
        }
    }

    /**
     * That a change was given up is said until the next change. While spot serves an endpoint gets nothing, not even a
     * readiness request, so that what it did not answer in a storm is not known to be over.
     */
    private static boolean mayStay(String problem, DeploymentStatus status) {
        return problem.startsWith("revision ")
                || (status.spotState() == SpotState.READY
                        && problem.contains(" endpoint does not answer its readiness request"));
    }

    private Revision current(String service) {
        return world.store().load().deployments().stream()
                .map(record -> revision(record.id()))
                .filter(one -> one.current() && one.service().equals(service))
                .findFirst()
                .orElseThrow();
    }

    private void settled(DeploymentStatus status, Revision current, Clients clients) {
        var policy = current.request().effectiveScaling().spot();
        List<ReplicaView> machines = world.replicas().stream()
                .filter(replica -> replica.deployment().equals(current.outside()))
                .toList();
        List<BackendPhase> shown = status.backends().stream()
                .filter(backend -> backend.tier() != Tier.SERVERLESS)
                .map(backend -> backend.phase())
                .toList();
        // One that is just being asked for may not be there yet, one on its way out may be gone already.
        long firm = shown.stream().filter(phase -> !PASSING.contains(phase)).count();
        long staying = machines.stream()
                .filter(machine -> machine.phase() != BackendPhase.DRAINING)
                .count();
        if (firm > machines.size() || staying > shown.size()) {
            world.violated(status.name() + " shows replicas " + shown + ", there are " + machines);
        }
        if (machines.size() < policy.minReplicas()) {
            world.violated(status.name() + " has " + machines.size() + " of at least " + policy.minReplicas());
        }
        Duration idle = policy.downscaleDelay().multipliedBy(2).plusHours(1);
        if (clients.silence(status.name()).compareTo(idle) > 0 && machines.size() > policy.minReplicas()) {
            world.violated(status.name() + " keeps " + machines + " though nobody asks");
        }
        if (status.backends().stream().noneMatch(backend -> backend.tier() == Tier.SERVERLESS)) {
            world.violated(status.name() + " has no serverless endpoint: " + status);
        }
    }

    /** When everything has been destroyed. */
    void over(Chaos chaos) {
        world.clouds().forEach(cloud -> {
            if (!cloud.running().empty()) {
                world.violated("left in a cloud: " + cloud.running());
            }
        });
        if (!world.deployments().isEmpty()) {
            world.violated("not destroyed: "
                    + world.deployments().stream().map(Deployment::status).toList());
        }
        if (!known.isEmpty()) {
            world.violated("left in the store: " + known);
        }
        List<String> secrets = world.secrets.refs().stream()
                .map(ref -> ref.name())
                .filter(name -> name.startsWith("deployments/"))
                .toList();
        if (!secrets.isEmpty()) {
            world.violated("secrets left: " + secrets);
        }
        compareBooks(chaos);
    }

    private void compareBooks(Chaos chaos) {
        Map<String, Duration> metered = new TreeMap<>();
        for (ReplicaView replica : world.first.snapshot().replicas()) {
            metered.merge(replicas.getOrDefault(replica.token(), replica.token()), replica.billed(), Duration::plus);
        }
        for (String provider : List.of("first", "second")) {
            for (EndpointView endpoint : world.cloudOf(provider).snapshot().endpoints()) {
                String service = revision(Objects.requireNonNull(outside.get(endpoint.deployment())))
                        .service();
                metered.merge(service + " at " + provider, endpoint.containerTime(), Duration::plus);
            }
        }
        metered.values().removeIf(Duration::isZero);
        Map<String, Duration> billed = ledger;
        // A price change is dated by the controller's clock: if that jumps, so does the border between two prices.
        if (!(chaos.jumps() && chaos.pricesMove()) && !billed.equals(metered)) {
            Map<String, String> wrong = new LinkedHashMap<>();
            metered.forEach((key, time) -> {
                if (!time.equals(billed.get(key))) {
                    wrong.put(key, "metered " + time + ", billed " + billed.get(key));
                }
            });
            billed.forEach((key, time) -> {
                if (!metered.containsKey(key)) {
                    wrong.put(key, "metered nothing, billed " + time);
                }
            });
            world.violated("the ledger is wrong: " + wrong);
        }
    }
}
