package dev.tuna.testkit.contract;

import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.ResourceRef;
import dev.tuna.testkit.time.VirtualTime;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** What exists beyond the plugin and outlives it: things, their times, empty pools. Guarded by its monitor. */
final class Outside implements AutoCloseable {

    /** Something made. */
    static final class Thing {
        final ResourceRef ref;
        final String deployment;
        final String owner;
        final Instant madeAt;
        final Optional<CapacityPool> pool;
        final @Nullable VllmStandIn server;

        @Nullable
        Instant endedAt;

        @Nullable
        Instant noticeFor;

        @Nullable
        Instant recommendedAt;

        boolean parked;

        Thing(
                ResourceRef ref,
                String deployment,
                String owner,
                Instant madeAt,
                Optional<CapacityPool> pool,
                @Nullable VllmStandIn server) {
            this.ref = ref;
            this.deployment = deployment;
            this.owner = owner;
            this.madeAt = madeAt;
            this.pool = pool;
            this.server = server;
        }

        boolean isHelper() {
            return ref.kind().equals("helper");
        }
    }

    final VirtualTime time = VirtualTime.create();
    private final Map<ResourceRef, Thing> things = new LinkedHashMap<>();
    private final Set<CapacityPool> dry = ConcurrentHashMap.newKeySet();

    synchronized Optional<Thing> thing(ResourceRef ref) {
        return Optional.ofNullable(things.get(ref));
    }

    synchronized List<Thing> things() {
        return List.copyOf(things.values());
    }

    synchronized void put(Thing thing) {
        things.put(thing.ref, thing);
    }

    synchronized void remove(ResourceRef ref) {
        things.remove(ref);
    }

    synchronized void end(ResourceRef ref) {
        Thing thing = things.get(ref);
        if (thing != null && thing.endedAt == null) {
            thing.endedAt = time.instant();
            close(thing);
        }
    }

    synchronized void notice(ResourceRef ref) {
        thing(ref).orElseThrow().noticeFor = time.instant().plusSeconds(120);
    }

    synchronized void recommend(ResourceRef ref) {
        thing(ref).orElseThrow().recommendedAt = time.instant();
    }

    void runDry(Collection<CapacityPool> pools) {
        dry.addAll(pools);
    }

    boolean isDry(CapacityPool pool) {
        return dry.contains(pool);
    }

    @Override
    public synchronized void close() {
        things.values().forEach(Outside::close);
    }

    private static void close(Thing thing) {
        if (thing.server != null) {
            thing.server.close();
        }
    }
}
