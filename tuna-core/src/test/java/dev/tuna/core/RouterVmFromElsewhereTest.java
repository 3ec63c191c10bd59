package dev.tuna.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ControlPlane;
import dev.tuna.api.CostReport;
import dev.tuna.api.Deployment;
import dev.tuna.api.ErrorCode;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What another process sees of deployments on router VMs, through the process that hosts or after it. */
class RouterVmFromElsewhereTest {

    private static final String MODEL = "Qwen/Qwen3-0.6B";

    @TempDir
    private Path directory;

    private final RouterVmWorld world = new RouterVmWorld();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    @BeforeEach
    void findable() {
        world.directory = Optional.of(directory);
    }

    @AfterEach
    void close() {
        threads.shutdownNow();
        world.close();
    }

    private static <T> T soon(CompletableFuture<T> future) throws Exception {
        return future.get(60, TimeUnit.SECONDS);
    }

    @Test
    void whileAMachineBootsOthersSeeAndEndWhatThereIs() throws Exception {
        world.sight = seen -> RouterVmWorld.silent(seen, BackendPhase.BOOTING);
        world.start();
        try (ControlPlane other = Tuna.running(directory).orElseThrow()) {
            Deployment chat = other.deploy(RouterVmWorld.request("chat", MODEL).build());
            assertThat(other.deployments()).extracting(Deployment::name).containsExactly("chat");
            assertThat(chat.request().model()).isEqualTo(MODEL);
            assertThat(other.status("chat").problems()).anyMatch(problem -> problem.contains("booting"));
            CompletableFuture<URI> endpoint = CompletableFuture.supplyAsync(chat::endpoint, threads);
            CompletableFuture<Optional<String>> certificate = CompletableFuture.supplyAsync(chat::certificate, threads);
            try (ControlPlane third = Tuna.running(directory).orElseThrow()) {
                assertThat(third.deployment("chat")).isPresent();
            }
            assertThat(endpoint).isNotDone();

            world.sight = UnaryOperator.identity();

            soon(chat.ready());
            assertThat(soon(endpoint)).hasPort(world.machine().address().getPort());
            assertThat(soon(certificate)).isEmpty();
            assertThat(other.deployment("chat").orElseThrow().endpoint()).isEqualTo(endpoint.join());
            world.sight = seen -> RouterVmWorld.silent(seen, BackendPhase.BOOTING);
            RouterVmWorld.until(
                    () -> other.status("chat").problems().stream()
                            .anyMatch(problem -> problem.contains("does not answer")),
                    "it boots again");
            assertThat(other.deployments()).extracting(Deployment::name).containsExactly("chat");
            world.sight = UnaryOperator.identity();
            soon(chat.destroy());
            assertThat(other.deployments()).isEmpty();
        }
    }

    @Test
    void aMachineThatFailedKeepsNobodyFromAnything() throws Exception {
        world.sight = seen -> RouterVmWorld.silent(seen, BackendPhase.FAILED);
        world.start();
        try (ControlPlane other = Tuna.running(directory).orElseThrow()) {
            Deployment chat = other.deploy(RouterVmWorld.request("chat", MODEL).build());
            assertThat(other.deployments()).extracting(Deployment::name).containsExactly("chat");
            assertThatThrownBy(() -> soon(chat.ready()))
                    .hasCauseInstanceOf(ConfigurationException.class)
                    .hasMessageContaining("does not come up");
            assertThatThrownBy(chat::endpoint)
                    .isInstanceOfSatisfying(
                            ConfigurationException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.PREFLIGHT_FAILED));
            soon(chat.destroy());
            assertThat(other.deployments()).isEmpty();
        }
    }

    @Test
    void theNextProcessKnowsWhetherItHasAskedTheMachineYetAndAsOfWhenItSpeaks() throws Exception {
        world.start().deploy(RouterVmWorld.request("chat", MODEL).build());
        soon(world.host.deployment("chat").orElseThrow().ready());
        assertThat(world.host.cost("chat").lines()).isNotEmpty();
        var asked = new CountDownLatch(1);
        var answer = new CountDownLatch(1);
        world.sight = seen -> {
            boolean first = asked.getCount() > 0;
            asked.countDown();
            await(answer);
            return first ? RouterVmWorld.silent(seen, BackendPhase.BOOTING) : seen;
        };

        Tuna next = world.restart();

        await(asked);
        assertThat(next.unseen()).contains("router VM shared");
        assertThat(next.hasSeenAll()).isFalse();
        CostReport handedOver = next.cost("chat");
        assertThat(handedOver.lines()).isEmpty();
        assertThat(next.cost("chat").to()).as("as of the handover").isEqualTo(handedOver.to());
        answer.countDown();
        RouterVmWorld.until(next::hasSeenAll, "all is seen");
        assertThat(next.status("chat").problems()).isEmpty();
        assertThat(next.cost("chat").lines()).isNotEmpty();
        assertThat(next.cost("chat").to()).isAfter(handedOver.to());
    }

    private static void await(CountDownLatch latch) {
        try {
            if (!latch.await(60, TimeUnit.SECONDS)) {
                throw new AssertionError("nobody came");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
