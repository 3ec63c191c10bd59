package dev.tuna.testkit.cloud.model;

import dev.tuna.api.Secret;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A cloud with serverless endpoints and pools of machines.
 *
 * <p>It does no I/O: time comes from a clock and a scheduler, model servers from a {@link MachineRunner}, and requests
 * are announced by whoever carries them. Thread-safe; it owns nothing that needs closing.
 */
public final class CloudModel implements CloudApi, CloudScript {

    private final CloudSettings settings;
    private final Site site;
    private final MachineRunner runner;
    private final Serverless serverless;
    private final SpotMarket market;

    /**
     * An empty cloud.
     *
     * @param settings how it starts
     * @param clock what time it is
     * @param scheduler for delays
     * @param runner runs the model servers; owned by the caller
     * @param idPrefix distinguishes the ids of this cloud's machines from those of another; may be empty
     */
    public CloudModel(
            CloudSettings settings,
            InstantSource clock,
            ScheduledExecutorService scheduler,
            MachineRunner runner,
            String idPrefix) {
        this.settings = settings;
        this.runner = runner;
        site = new Site(clock, scheduler, runner, idPrefix);
        serverless = new Serverless(site, settings);
        market = new SpotMarket(site, settings);
    }

    /**
     * A request arrives at an endpoint.
     *
     * @param endpoint the endpoint's name
     * @param key the bearer token that came with it; null if none
     * @param listener hears where it may go, possibly before this method returns
     * @return the claim, to be released when the request is over
     * @throws CloudRefusal 404 if there is no such endpoint, 401 if the key is wrong
     */
    public Lease request(String endpoint, @Nullable Secret key, RequestListener listener) {
        return site.locked(() -> {
            Endpoint known = serverless.live(endpoint);
            if (known == null) {
                throw CloudRefusal.notFound("endpoint", endpoint);
            }
            Optional<Secret> demanded = known.request().key();
            if (demanded.isPresent() && (key == null || !demanded.get().equals(key))) {
                throw new CloudRefusal(401, "unauthorized", "endpoint " + endpoint + " demands its bearer key", false);
            }
            return known.arrive(listener);
        });
    }

    @Override
    public Map<String, BigDecimal> serverlessPrices() {
        return site.locked(serverless::prices);
    }

    @Override
    public EndpointView putEndpoint(EndpointRequest request) {
        return site.locked(() -> serverless.put(request));
    }

    @Override
    public Optional<EndpointView> endpoint(String name) {
        return site.locked(() -> {
            forgetOld();
            return serverless.view(name);
        });
    }

    @Override
    public void deleteEndpoint(String name) {
        site.run(() -> serverless.destroy(name));
    }

    @Override
    public List<EndpointView> endpoints() {
        return site.locked(serverless::views);
    }

    @Override
    public List<PoolView> pools() {
        return site.locked(market::pools);
    }

    @Override
    public ReplicaView launch(LaunchRequest request) {
        return site.locked(() -> {
            forgetOld();
            return market.launch(request);
        });
    }

    @Override
    public List<ReplicaView> observe(List<String> ids) {
        return site.locked(() -> {
            forgetOld();
            return market.observe(ids);
        });
    }

    @Override
    public void terminate(String id) {
        site.run(() -> market.terminate(id));
    }

    @Override
    public List<ReplicaView> replicas() {
        return site.locked(market::views);
    }

    @Override
    public void setPrice(String pool, BigDecimal usdPerHour) {
        notNegative("price", usdPerHour);
        site.run(() -> market.pool(pool).price(usdPerHour));
    }

    @Override
    public void setCapacity(String pool, int machines) {
        if (machines < 0) {
            throw CloudRefusal.badRequest("capacity is " + machines + " but must be 0 or more");
        }
        site.run(() -> market.pool(pool).capacity(machines));
    }

    @Override
    public void setBootDelay(String pool, Duration delay) {
        notNegative("boot delay", delay);
        site.run(() -> market.pool(pool).bootDelay(delay));
    }

    @Override
    public void failBoots(String where, int times) {
        site.run(() -> {
            Endpoint endpoint = serverless.live(where);
            if (endpoint != null) {
                endpoint.failBoots(times);
            } else if (market.hasPool(where)) {
                market.pool(where).failBoots(times);
            } else {
                throw CloudRefusal.notFound("pool or endpoint", where);
            }
        });
    }

    @Override
    public void setServerlessPrice(String gpu, BigDecimal usdPerGpuHour) {
        notNegative("price", usdPerGpuHour);
        site.run(() -> serverless.price(gpu, usdPerGpuHour));
    }

    @Override
    public void setColdStart(Duration delay) {
        notNegative("cold start", delay);
        site.run(() -> serverless.coldStart(delay));
    }

    @Override
    public void interrupt(String replica, Duration notice) {
        notNegative("notice", notice);
        site.run(() -> market.interrupt(replica, notice));
    }

    @Override
    public void recommendRebalance(String replica) {
        site.run(() -> market.recommendRebalance(replica));
    }

    @Override
    public void lose(String id) {
        site.run(() -> {
            if (!market.lose(id) && !serverless.lose(id)) {
                throw CloudRefusal.notFound("running replica or container", id);
            }
        });
    }

    @Override
    public CloudSnapshot snapshot() {
        count();
        return site.locked(() -> {
            forgetOld();
            return new CloudSnapshot(
                    site.now(),
                    Stream.concat(serverless.goneViews().stream(), serverless.views().stream())
                            .toList(),
                    Stream.concat(market.endedViews().stream(), market.views().stream())
                            .toList(),
                    market.pools(),
                    runner.running());
        });
    }

    /**
     * What runs now.
     *
     * @return like {@link #snapshot}, without what is remembered as gone and without counting requests
     */
    public CloudSnapshot running() {
        return site.locked(() ->
                new CloudSnapshot(site.now(), serverless.views(), market.views(), market.pools(), runner.running()));
    }

    /** Asks the machines outside the lock, since that may take a moment. */
    private void count() {
        for (Replica replica : site.locked(market::live)) {
            Machine machine = site.<Optional<Machine>>locked(() -> Optional.ofNullable(replica.machine()))
                    .orElse(null);
            if (machine != null) {
                var requests = machine.requests();
                site.run(() -> replica.counted(requests));
            }
        }
    }

    private void forgetOld() {
        Instant before = site.now().minus(settings.endedMemory());
        serverless.forget(before);
        market.forget(before);
    }

    private static void notNegative(String what, Duration value) {
        if (value.isNegative()) {
            throw CloudRefusal.badRequest(what + " is " + value + " but must be zero or longer");
        }
    }

    private static void notNegative(String what, BigDecimal value) {
        if (value.signum() < 0) {
            throw CloudRefusal.badRequest(what + " is " + value + " but must be 0 or more");
        }
    }
}
