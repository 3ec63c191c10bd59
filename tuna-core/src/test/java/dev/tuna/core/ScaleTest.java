package dev.tuna.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SpotState;
import dev.tuna.api.Tier;
import dev.tuna.core.control.ControlTimings;
import dev.tuna.core.control.Gateway;
import dev.tuna.core.store.SqliteStateStore;
import dev.tuna.router.Route;
import dev.tuna.router.RouteLoad;
import dev.tuna.testkit.cloud.model.CloudSettings;
import dev.tuna.testkit.cloud.model.PoolSettings;
import dev.tuna.testkit.cloud.simulated.SimulatedCloud;
import dev.tuna.testkit.contract.InMemorySecretStore;
import dev.tuna.testkit.time.VirtualTime;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.math.BigDecimal;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Many deployments with ten replicas each, on virtual time, everything on one thread: the control loop, the cloud that it
 * talks to and the store. So the CPU time of that thread per simulated second is an upper bound of the loop's own.
 */
@Tag("full")
class ScaleTest {

    private static final int REPLICAS = 10;
    private static final List<String> POOLS = List.of("local-1a/l4-1/SPOT", "local-1b/l4-1/SPOT");

    @TempDir
    private Path directory;

    private final VirtualTime time = VirtualTime.create();
    private final SimulatedCloud cloud = SimulatedCloud.on(time, CloudSettings.DEFAULT.withPools(amplePools()));

    private static List<PoolSettings> amplePools() {
        return CloudSettings.DEFAULT.pools().stream()
                .map(pool -> new PoolSettings(
                        pool.region(),
                        pool.zone(),
                        pool.machineType(),
                        pool.tier(),
                        pool.gpu(),
                        pool.gpuCount(),
                        pool.usdPerHour(),
                        1_000_000,
                        Duration.ofMinutes(1)))
                .toList();
    }

    @Test
    void theLoopOfAThousandDeploymentsTakesLessThanATenthOfACore() {
        int deployments = 1000;
        try (var store = SqliteStateStore.open(directory, time);
                Tuna tuna = start(store, ControlTimings.DEFAULT)) {
            fill(tuna, deployments);
            time.advance(Duration.ofSeconds(30));
            Duration span = Duration.ofMinutes(1);
            long before = cpu();
            time.advance(span);
            double share = (double) (cpu() - before) / span.toNanos();
            System.out.printf(
                    "%d deployments, %d replicas: %.1f %% of one core, the cloud's and the store's share included%n",
                    deployments, deployments * REPLICAS, share * 100);
            assertThat(share).isLessThan(0.1);
        }
    }

    /** A tenth of the next one, for those who do not want to wait. */
    @Test
    void aDayOfAHundredDeploymentsFitsIntoTenMegabytes() throws IOException {
        playADay(100, 10_000_000);
    }

    @Test
    void aDayOfAThousandDeploymentsFitsIntoAHundredMegabytes() throws IOException {
        playADay(1000, 100_000_000);
    }

    /**
     * What makes the ledger grow is all there: a worker that is always on, and prices that change every four hours. Clouds are
     * looked at and counters stored less often than by default, which saves time and no row: counters are rewritten in place,
     * and container time is entered every 15 minutes either way.
     */
    private void playADay(int deployments, long mostBytes) throws IOException {
        ControlTimings seldom = ControlTimings.DEFAULT.toBuilder()
                .observeInterval(Duration.ofMinutes(5))
                .checkpointInterval(Duration.ofMinutes(15))
                .build();
        try (var store = SqliteStateStore.open(directory, time);
                Tuna tuna = start(store, seldom)) {
            fill(tuna, deployments);
            System.out.printf(
                    "%d deployments, %d replicas: %.1f MB when they run%n",
                    deployments, deployments * REPLICAS, size() / 1e6);
            for (int change = 1; change <= 6; change++) {
                BigDecimal price = new BigDecimal("0.24").add(BigDecimal.valueOf(change, 2));
                for (String pool : POOLS) {
                    cloud.setPrice(pool, price);
                }
                time.advance(Duration.ofHours(4));
                System.out.printf("%d h: %.1f MB, %.0f s of CPU so far%n", 4 * change, size() / 1e6, cpu() / 1e9);
            }
            long entries = store.load().deployments().stream()
                    .mapToLong(each -> store.ledger(each.id()).size())
                    .sum();
            System.out.printf("%d ledger entries%n", entries);
            assertThat(size()).isLessThan(mostBytes);
        }
    }

    private long size() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.mapToLong(file -> file.toFile().length()).sum();
        }
    }

    private static long cpu() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    private Tuna start(SqliteStateStore store, ControlTimings timings) {
        return Tuna.builder()
                .store(store)
                .secrets(new InMemorySecretStore())
                .clock(time)
                .ticker(time.ticker())
                .scheduler(time.newScheduler())
                .executor(Runnable::run)
                .random(new Random(1))
                .timings(timings)
                .provider(cloud.serverless())
                .provider(cloud.spot())
                .classLoader(ClassLoader.getPlatformClassLoader())
                .gateway(listener -> new Steady(time))
                .prober((backend, model, limit) -> CompletableFuture.completedFuture(Optional.empty()))
                .start();
    }

    private void fill(Tuna tuna, int deployments) {
        var fleet = ScalingPolicy.Spot.builder()
                .minReplicas(REPLICAS)
                .maxReplicas(REPLICAS)
                .build();
        List<Deployment> all = new ArrayList<>();
        for (int i = 0; i < deployments; i++) {
            all.add(tuna.deploy(DeployRequest.builder("model-" + i, "L4")
                    .serviceName("service-" + i)
                    .scaling(ScalingPolicy.DEFAULT.withSpot(fleet))
                    .noScaleToZero(true)
                    .build()));
        }
        time.advance(Duration.ofMinutes(3));
        assertThat(all).allMatch(each -> each.status().spotState() == SpotState.READY);
        assertThat(all).allMatch(each -> each.status().backends().size() == REPLICAS + 1);
    }

    /** An endpoint where each deployment serves one quick request a second. */
    private record Steady(VirtualTime time) implements Gateway {
        @Override
        public void put(Route route) {}

        @Override
        public void remove(String deployment) {}

        @Override
        public RouteLoad load(String deployment) {
            long requests = time.instant().getEpochSecond();
            return new RouteLoad(
                    new TrafficStats(requests, requests, 0, 0, 0, 0, 0, 0, Map.of(Tier.SPOT, requests)),
                    0,
                    SpotState.READY,
                    Map.of());
        }

        @Override
        public URI address() {
            return URI.create("http://127.0.0.1:8080");
        }

        @Override
        public void close() {}
    }
}
