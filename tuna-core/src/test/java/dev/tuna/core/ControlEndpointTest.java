package dev.tuna.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ControlPlane;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import dev.tuna.core.store.InMemoryStateStore;
import dev.tuna.core.store.SqliteStateStore;
import dev.tuna.testkit.cloud.LocalCloud;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One process controls, others act through it: the whole of it over real sockets. */
class ControlEndpointTest {

    @TempDir
    private Path directory;

    private TunaBuilder tuna() {
        return Tuna.builder().stateDirectory(directory).listen("127.0.0.1", 0);
    }

    private TunaBuilder tuna(LocalCloud cloud) {
        return tuna().providerSettings("local", cloud.settings()).providerSettings("local-spot", cloud.settings());
    }

    @Test
    void whatOneProcessLooksAfterAnotherOneSeesAndEnds() throws Exception {
        try (LocalCloud cloud = LocalCloud.builder().startInProcess();
                Tuna tuna = tuna(cloud).start();
                ControlPlane other = Tuna.running(directory).orElseThrow()) {
            BlockingQueue<DeploymentEvent> heard = new LinkedBlockingQueue<>();
            ControlPlane.Subscription subscription = other.events(heard::add);
            Deployment chat = tuna.deploy(DeployRequest.builder("Qwen/Qwen3-0.6B", "L4")
                    .serviceName("chat")
                    .serverlessOnly(true)
                    .build());
            Deployment seen = other.deployment("chat").orElseThrow();
            assertThat(seen.ready().get(60, TimeUnit.SECONDS).name()).isEqualTo("chat");
            assertThat(seen.request()).isEqualTo(chat.request());
            assertThat(seen.apiKey()).isEqualTo(chat.apiKey());
            assertThat(seen.endpoint()).isEqualTo(chat.endpoint());
            assertThat(seen.status().backends()).hasSize(1);

            assertThat(other.destroyAll().get(60, TimeUnit.SECONDS))
                    .singleElement()
                    .satisfies(report -> assertThat(report.deployment()).isEqualTo("chat"));
            assertThat(cloud.snapshot().empty()).isTrue();
            assertThat(seen.status().phase()).isEqualTo(DeploymentPhase.DESTROYED);
            assertThat(other.deployments()).isEmpty();
            assertThat(other.history(5)).isEqualTo(tuna.history(5)).hasSize(1);
            assertThat(other.cost("chat")).isEqualTo(tuna.cost("chat"));
            assertThat(other.orphans().found()).isEmpty();
            assertThat(kinds(heard))
                    .startsWith(DeploymentEvent.Kind.ACCEPTED)
                    .contains(DeploymentEvent.Kind.READY, DeploymentEvent.Kind.DESTROYED);
            subscription.close();
            assertThatThrownBy(() -> other.destroy("chat"))
                    .isInstanceOfSatisfying(
                            ConfigurationException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.NO_SUCH_DEPLOYMENT));
        }
    }

    /** Up to the end of the deployment, which comes last. */
    private static List<DeploymentEvent.Kind> kinds(BlockingQueue<DeploymentEvent> heard) throws InterruptedException {
        var kinds = new ArrayList<DeploymentEvent.Kind>();
        while (!kinds.contains(DeploymentEvent.Kind.DESTROYED)) {
            DeploymentEvent event = heard.poll(60, TimeUnit.SECONDS);
            assertThat(event).as("after " + kinds).isNotNull();
            kinds.add(event.kind());
        }
        return kinds;
    }

    @Test
    void whoeverComesJoinsAndTakesOverWhenNobodyControls() {
        Tuna first = tuna().start();
        try (ControlPlane second = tuna().startOrJoin()) {
            assertThat(second).isNotInstanceOf(Tuna.class);
            first.close();
            assertThatThrownBy(second::deployments)
                    .isInstanceOfSatisfying(
                            ConfigurationException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.CLOSED));
        } finally {
            first.close();
        }
        assertThat(Tuna.running(directory)).isEmpty();
        try (ControlPlane third = tuna().startOrJoin()) {
            assertThat(third).isInstanceOf(Tuna.class);
        }
    }

    @Test
    void ofManyWhoComeAtOnceOneControlsAndTheOthersJoinIt() throws Exception {
        int count = 6;
        ExecutorService starters = Executors.newFixedThreadPool(count);
        try {
            for (int round = 0; round < 3; round++) {
                var gate = new CountDownLatch(count);
                Callable<ControlPlane> starter = () -> {
                    gate.countDown();
                    gate.await();
                    return tuna().startOrJoin();
                };
                List<Future<ControlPlane>> all = Stream.generate(() -> starters.submit(starter))
                        .limit(count)
                        .toList();
                var planes = new ArrayList<ControlPlane>();
                for (Future<ControlPlane> one : all) {
                    planes.add(one.get(60, TimeUnit.SECONDS));
                }
                assertThat(planes).filteredOn(Tuna.class::isInstance).hasSize(1);
                assertThat(planes)
                        .allSatisfy(plane -> assertThat(plane.deployments()).isEmpty());
                planes.forEach(ControlPlane::close);
            }
        } finally {
            starters.shutdownNow();
        }
    }

    @Test
    void itCanBeSwitchedOff() {
        try (Tuna closed = tuna().controlEndpoint(false).start()) {
            assertThat(closed.deployments()).isEmpty();
            assertThat(directory.resolve("control.json")).doesNotExist();
            assertThat(Tuna.running(directory)).isEmpty();
            assertThatThrownBy(() -> tuna().startOrJoin())
                    .isInstanceOfSatisfying(
                            StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_LOCKED));
        }
    }

    @Test
    void aHostWithAStoreOfItsOwnHasNoneUnlessItAsksForOne() {
        try (Tuna own = tuna().store(new InMemoryStateStore("owner")).start()) {
            assertThat(own.deployments()).isEmpty();
            assertThat(Tuna.running(directory)).isEmpty();
        }
        try (var store = SqliteStateStore.open(directory, InstantSource.system());
                Tuna asked = tuna().store(store).controlEndpoint(true).start();
                ControlPlane other = Tuna.running(directory).orElseThrow()) {
            assertThat(other.deployments()).isEmpty();
            assertThat(asked.deployments()).isEmpty();
        }
    }

    @Test
    void aStartThatFailsLeavesNoControlEndpointBehind() {
        try (Tuna first = tuna().start()) {
            int taken = first.address().getPort();
            Path other = directory.resolve("other");
            assertThatThrownBy(() -> Tuna.builder()
                            .stateDirectory(other)
                            .listen("127.0.0.1", taken)
                            .start())
                    .isInstanceOf(ConfigurationException.class);
            assertThat(other.resolve("control.json")).doesNotExist();
        }
    }
}
