package dev.tuna.testkit.cloud.model;

import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** The half of the cloud that rents machines. Guarded by the model's lock. */
final class SpotMarket {

    private final Site site;
    private final Map<String, Pool> pools = new LinkedHashMap<>();
    private final Map<String, Replica> live = new LinkedHashMap<>();
    /** In the order in which they ended. */
    private final Map<String, Replica> ended = new LinkedHashMap<>();

    private final Map<String, Replica> byToken = new LinkedHashMap<>();

    SpotMarket(Site site, CloudSettings settings) {
        this.site = site;
        for (PoolSettings pool : settings.pools()) {
            if (pools.put(pool.id(), new Pool(pool)) != null) {
                throw new IllegalArgumentException("two pools are called '" + pool.id() + "'");
            }
        }
    }

    boolean hasPool(String id) {
        return pools.containsKey(id);
    }

    Pool pool(String id) {
        Pool pool = pools.get(id);
        if (pool == null) {
            throw CloudRefusal.badRequest("no pool '" + id + "'; there are " + pools.keySet());
        }
        return pool;
    }

    List<PoolView> pools() {
        return pools.values().stream().map(Pool::view).toList();
    }

    ReplicaView launch(LaunchRequest request) {
        Replica known = byToken.get(tokenOf(request));
        if (known == null) {
            return place(request).view();
        }
        if (!known.request().equals(request)) {
            throw CloudRefusal.conflict(
                    "token_reused",
                    "token '" + request.token() + "' belongs to another launch, of replica " + known.id());
        }
        known.heard();
        return known.view();
    }

    private static String tokenOf(LaunchRequest request) {
        return request.owner() + "/" + request.token();
    }

    private Replica place(LaunchRequest request) {
        List<Pool> allowed = request.pools().stream().map(this::pool).toList();
        for (Pool pool : allowed) {
            if (!pool.fits(request.engine())) {
                throw CloudRefusal.badRequest("pool " + pool.settings().id() + " has "
                        + pool.settings().gpuCount() + " x " + pool.settings().gpu() + ", asked for "
                        + request.engine().gpuCount() + " x "
                        + request.engine().gpu());
            }
        }
        Pool pool = allowed.stream()
                .filter(Pool::hasRoom)
                .findFirst()
                .orElseThrow(() -> new CloudRefusal(
                        409, CloudRefusal.CAPACITY, "no machine is free in any of " + request.pools(), true));
        Replica replica = new Replica(site, this, pool, request);
        pool.rent(replica);
        live.put(replica.id(), replica);
        byToken.put(tokenOf(request), replica);
        return replica;
    }

    List<ReplicaView> observe(List<String> ids) {
        List<Replica> known =
                ids.stream().flatMap(id -> replicaOrNone(id).stream()).toList();
        known.forEach(Replica::heard);
        return known.stream().map(Replica::view).toList();
    }

    private List<Replica> replicaOrNone(String id) {
        return Stream.of(live, ended)
                .filter(map -> map.containsKey(id))
                .map(map -> Objects.requireNonNull(map.get(id)))
                .toList();
    }

    void terminate(String id) {
        Replica replica = live.get(id);
        if (replica != null) {
            replica.terminate("terminated");
        }
    }

    void interrupt(String id, Duration notice) {
        Replica replica = live.get(id);
        if (replica == null) {
            throw CloudRefusal.notFound("running replica", id);
        }
        replica.interrupt(notice);
    }

    void recommendRebalance(String id) {
        Replica replica = live.get(id);
        if (replica == null) {
            throw CloudRefusal.notFound("running replica", id);
        }
        replica.recommendRebalance();
    }

    boolean lose(String id) {
        Replica replica = live.get(id);
        if (replica != null) {
            replica.lose("lost without notice");
        }
        return replica != null;
    }

    List<Replica> live() {
        return List.copyOf(live.values());
    }

    List<ReplicaView> views() {
        return live.values().stream().map(Replica::view).toList();
    }

    List<ReplicaView> endedViews() {
        return ended.values().stream().map(Replica::view).toList();
    }

    void gone(Replica replica) {
        replica.pool().giveBack(replica);
        live.remove(replica.id());
        ended.put(replica.id(), replica);
    }

    void forget(Instant before) {
        Predicate<Replica> old = replica -> replica.endedAt().isBefore(before);
        for (var oldest = ended.values().iterator(); oldest.hasNext(); ) {
            Replica replica = oldest.next();
            if (!old.test(replica)) {
                return;
            }
            oldest.remove();
            byToken.remove(tokenOf(replica.request()));
        }
    }
}
