package dev.tuna.core.simulation;

import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.Tier;
import dev.tuna.api.TunaException;
import dev.tuna.core.Tuna;
import dev.tuna.core.WithoutSockets;
import dev.tuna.core.control.Prober;
import dev.tuna.core.store.InMemoryStateStore;
import dev.tuna.router.RouteBackend;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.StateChange;
import dev.tuna.testkit.cloud.model.CloudSettings;
import dev.tuna.testkit.cloud.model.EndpointView;
import dev.tuna.testkit.cloud.model.PoolSettings;
import dev.tuna.testkit.cloud.model.ReplicaView;
import dev.tuna.testkit.cloud.simulated.FaultScript;
import dev.tuna.testkit.cloud.simulated.SimulatedCloud;
import dev.tuna.testkit.contract.InMemorySecretStore;
import dev.tuna.testkit.time.VirtualTime;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Two clouds, a disk, clients, and at most one process that runs a {@link Tuna}, all on one virtual time and drawn from one
 * seed. Confined to the thread of the time.
 */
final class World implements AutoCloseable {

    static final List<String> NAMES = List.of("alpha", "beta", "gamma", "delta");
    static final List<String> POOLS =
            List.of("zone-a/l4-1/SPOT", "zone-b/l4-1/SPOT", "zone-c/l4-1/SPOT", "zone-a/l4-1/ON_DEMAND");

    private static final Duration FOR_EVER = Duration.ofDays(10_000);
    private static final Duration CLOSE = Duration.ofSeconds(5);

    final VirtualTime time = VirtualTime.create().letTasksHang();
    final Trace trace = new Trace(time);
    final SimulatedCloud first = SimulatedCloud.on(time, settings(), "first");
    final SimulatedCloud second = SimulatedCloud.on(time, settings(), "second");
    final InMemorySecretStore secrets = new InMemorySecretStore();
    final List<String> broken = new ArrayList<>();

    private final ScheduledExecutorService scheduler = time.newScheduler();
    private final SplittableRandom latency;
    private final Random ids;
    private WatchedStore store;
    private @Nullable Life process;
    private boolean storeBroken;
    private boolean slow;
    private Consumer<StateChange> onSave = change -> {};
    private BooleanSupplier undisturbed = () -> false;

    /** One life of the controller. */
    private record Life(ScheduledExecutorService scheduler, SimulatedRouter router, Tuna tuna) {}

    World(long seed) {
        var root = new SplittableRandom(seed);
        latency = root.split();
        ids = new Random(root.nextLong());
        clouds().forEach(cloud -> cloud.engineStop(STOP));
        store = new WatchedStore(
                new InMemoryStateStore("0123456789abcdef"), () -> storeBroken, change -> onSave.accept(change));
    }

    private static CloudSettings settings() {
        var pools = new ArrayList<PoolSettings>();
        int cents = 24;
        for (String pool : POOLS) {
            String[] parts = pool.split("/");
            Tier tier = Tier.valueOf(parts[2]);
            BigDecimal price = tier == Tier.SPOT ? BigDecimal.valueOf(cents++, 2) : new BigDecimal("0.80");
            pools.add(new PoolSettings("region", parts[0], parts[1], tier, "L4", 1, price, 8, BOOT));
        }
        return new CloudSettings(
                pools, Map.of("L4", new BigDecimal("1.10")), COLD_START, Duration.ofSeconds(20), 1000, FOR_EVER);
    }

    static final Duration BOOT = Duration.ofMinutes(5);
    static final Duration STOP = Duration.ofSeconds(20);
    static final Duration COLD_START = Duration.ofSeconds(40);

    List<SimulatedCloud> clouds() {
        return List.of(first, second);
    }

    SimulatedCloud cloudOf(URI address) {
        return address.getHost().startsWith("second") ? second : first;
    }

    /** The cloud of a provider's name. */
    SimulatedCloud cloudOf(String provider) {
        return provider.equals("second") ? second : first;
    }

    void faults(FaultScript script) {
        clouds().forEach(cloud -> cloud.faults(script));
    }

    void onSave(Consumer<StateChange> listener) {
        onSave = listener;
    }

    void undisturbed(BooleanSupplier now) {
        undisturbed = now;
    }

    /** An attempt failed: with nothing wrong in the world for a while, that is somebody's mistake. */
    void attemptFailed(String deployment, RouteBackend backend, String detail) {
        if (undisturbed.getAsBoolean()
                && !isTakenByAnotherClock(backend.address().url())) {
            violated("a request of " + deployment + " failed at " + backend.id() + " in a calm: " + detail);
        }
    }

    /** When a cloud takes a machine it says by its own clock; who has another one cannot know how long that is. */
    private boolean isTakenByAnotherClock(URI machine) {
        return clocksDiffer()
                && first.snapshot().replicas().stream()
                        .anyMatch(replica -> replica.address().equals(Optional.of(machine))
                                && replica.interruptionAt().isPresent());
    }

    boolean clocksDiffer() {
        return Duration.between(time.steady().instant(), time.instant()).abs().compareTo(CLOSE) > 0;
    }

    void storeBroken(boolean now) {
        storeBroken = now;
    }

    /** Whether calls and writes now and then wait for their turn for minutes, longer than anybody waits for them. */
    void slow(boolean now) {
        slow = now;
    }

    WatchedStore store() {
        return store;
    }

    /** Does something later; what it throws breaks the run. */
    void later(Duration delay, Runnable task) {
        var unused = scheduler.schedule(() -> guarded(task), delay.toNanos(), TimeUnit.NANOSECONDS);
    }

    private void guarded(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error e) {
            violated("the simulation itself failed: " + e + " at "
                    + List.of(e.getStackTrace()).subList(0, 3));
        }
    }

    void violated(String what) {
        broken.add(what);
        trace.add("VIOLATION " + what);
    }

    Optional<Tuna> tuna() {
        return Optional.ofNullable(process).map(Life::tuna);
    }

    Optional<SimulatedRouter> router() {
        return Optional.ofNullable(process).map(Life::router);
    }

    boolean isUp() {
        return process != null;
    }

    void start() {
        trace.add("controller starts");
        ScheduledExecutorService mine = time.newScheduler();
        var router = new ArrayList<SimulatedRouter>();
        Tuna tuna = WithoutSockets.start(
                Tuna.builder()
                        .store(store)
                        .secrets(secrets)
                        .clock(time)
                        .ticker(time.ticker())
                        .scheduler(mine)
                        .executor(executor(mine))
                        .random(ids)
                        .provider(first.serverless("first"))
                        .provider(second.serverless("second"))
                        .provider(first.spot("spot"))
                        .classLoader(ClassLoader.getPlatformClassLoader())
                        .events(this::told),
                listener -> {
                    router.add(new SimulatedRouter(this, listener));
                    return router.get(0);
                },
                prober());
        process = new Life(mine, router.get(0), tuna);
    }

    private void told(DeploymentEvent event) {
        trace.add(event.deployment() + ": " + event.kind() + " " + event.message());
    }

    /** Every call and every write takes its time, so that anything can happen between any two of them. */
    private Executor executor(ScheduledExecutorService mine) {
        return task -> {
            long millis = 1L + latency.nextInt(200);
            if (slow && latency.nextInt(10) == 0) {
                millis = latency.nextInt(300_000);
            }
            var unused = mine.schedule(task, millis, TimeUnit.MILLISECONDS);
        };
    }

    private Prober prober() {
        return new Prober() {
            @Override
            public CompletableFuture<Optional<String>> probe(BackendAddress backend, String model, Duration limit) {
                var result = new CompletableFuture<Optional<String>>();
                SimulatedCloud cloud = cloudOf(backend.url());
                if (backend.url().getPath().startsWith("/serverless/")) {
                    CompletableFuture<Integer> answer = cloud.request(backend, Duration.ofMillis(100));
                    later(limit, () -> answer.cancel(false));
                    var unused = answer.handle((status, failure) -> result.complete(
                            failure != null
                                    ? Optional.of("HttpTimeoutException")
                                    : status == 200 ? Optional.empty() : Optional.of("HTTP " + status)));
                } else if (cloud.listens(backend.url()) && !cloud.answers(backend.url())) {
                    later(limit, () -> result.complete(Optional.of("HttpTimeoutException")));
                } else {
                    later(
                            Duration.ofMillis(50),
                            () -> result.complete(
                                    cloud.answers(backend.url()) ? Optional.empty() : Optional.of("ConnectException")));
                }
                return result;
            }
        };
    }

    /** Stops the process in order. */
    void close(String why) {
        Life old = process;
        if (old != null) {
            trace.add("controller is closed: " + why);
            process = null;
            old.tuna().close();
            time.endHanging();
            old.scheduler().shutdownNow();
            store.close();
            store = store.reopen();
        }
    }

    /** As kill -9 does: what was on its way is lost, and nothing is written any more. */
    void kill(String why) {
        Life old = process;
        if (old != null) {
            trace.add("controller is killed: " + why);
            process = null;
            store.close();
            old.tuna().close();
            time.endHanging();
            old.scheduler().shutdownNow();
            store = store.reopen();
        }
    }

    List<Deployment> deployments() {
        return tuna().map(Tuna::deployments).orElse(List.of());
    }

    Optional<Deployment> deploy(DeployRequest request) {
        String name = request.serviceName().orElseThrow();
        if (process == null) {
            return Optional.empty();
        }
        try {
            Deployment made = process.tuna().deploy(request);
            trace.add("deployed " + name);
            return Optional.of(made);
        } catch (TunaException e) {
            trace.add("deploy of " + name + " refused: " + e.code());
            return Optional.empty();
        }
    }

    void redeploy(DeployRequest request) {
        tuna().ifPresent(tuna -> {
            try {
                var unused = tuna.redeploy(request);
                trace.add("redeployed " + request.serviceName().orElseThrow());
            } catch (TunaException e) {
                trace.add("redeploy refused: " + e.code());
            }
        });
    }

    List<ReplicaView> replicas() {
        return first.running().replicas();
    }

    List<EndpointView> endpoints(String provider) {
        return cloudOf(provider).running().endpoints();
    }

    @Override
    public void close() {
        close("the run is over");
        store.close();
    }
}
