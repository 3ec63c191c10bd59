package dev.tuna.provider.modal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.Secret;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.modal.ModalFault;
import dev.tuna.testkit.modal.ModalStandIn;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A deployment outlives whoever started it, and is found by whoever comes next. */
class ModalRestartTest {

    private final AtomicLong ahead = new AtomicLong();
    private ModalStandIn vendor;
    private ContractContext context;

    @BeforeEach
    void start() {
        vendor = ModalStandIn.builder().start();
        context = Contexts.of(vendor).withClock(() -> Instant.now().plusNanos(ahead.get()));
    }

    @AfterEach
    void stop() {
        vendor.close();
        Wire.checkCommands(vendor);
    }

    private ServerlessCloud open() {
        return new ModalProvider().open(context);
    }

    private long deployments() {
        return vendor.calls().stream()
                .filter(call -> call.line().startsWith("deploy"))
                .count();
    }

    @Test
    void theNextControllerGoesOnWithADeploymentThatIsUnderWay() {
        CountDownLatch gate = new CountDownLatch(1);
        vendor.inject(ModalFault.slow("deploy .*", gate));
        ServerlessPlan plan;
        ResourceRef resource;
        try (ServerlessCloud first = open()) {
            plan = first.plan(Specs.of("chat"));
            resource = first.begin(plan);
            Eventually.holds("it deploys", () -> deployments() == 1);
        }
        try (ServerlessCloud second = open()) {
            assertThat(second.observe(resource).phase()).isEqualTo(BackendPhase.IMAGE);
            assertThat(second.begin(plan)).isEqualTo(resource);
            gate.countDown();
            Eventually.is(second, resource, BackendPhase.READY);
        }
        assertThat(deployments()).isEqualTo(1);
        assertThat(vendor.version(resource.id())).isEqualTo(1);
    }

    @Test
    void whatIsDeployedIsNotDeployedAgain() {
        ResourceRef resource;
        try (ServerlessCloud first = open()) {
            resource = first.begin(first.plan(Specs.of("chat")));
            Eventually.is(first, resource, BackendPhase.READY);
        }
        context = context.withSetting("work_dir", context.settings().get("work_dir") + "-of-another-machine");
        try (ServerlessCloud second = open()) {
            second.begin(second.plan(Specs.of("chat")));
            ServerlessObservation seen = second.observe(resource);
            assertThat(seen.phase()).isEqualTo(BackendPhase.READY);
            assertThat(seen.address().orElseThrow().hardLimit()).isPresent();
            assertThat(seen.address().orElseThrow().maxInFlight()).isEqualTo(5 * 32);
        }
        assertThat(deployments()).isEqualTo(1);
    }

    @Test
    void aDeploymentThatWasKilledIsBegunAgain() throws Exception {
        CountDownLatch never = new CountDownLatch(1);
        vendor.inject(ModalFault.slow("deploy .*", never));
        ServerlessPlan plan;
        ResourceRef resource;
        try (ServerlessCloud first = open()) {
            plan = first.plan(Specs.of("chat"));
            resource = first.begin(plan);
            Eventually.holds("it deploys", () -> deployments() == 1);
        }
        // As when the whole machine goes.
        Path noted = Path.of(context.settings().get("work_dir"), resource.id());
        DeployRun.read(noted).flatMap(DeployRun::process).orElseThrow().destroyForcibly();
        try (ServerlessCloud second = open()) {
            Eventually.is(second, resource, BackendPhase.GONE);
            second.begin(plan);
            Eventually.is(second, resource, BackendPhase.READY);
        }
        assertThat(vendor.apps()).containsExactly(resource.id());
    }

    @Test
    void twoControllersThatBeginAtOnceMakeOneApp() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try (ServerlessCloud one = open();
                ServerlessCloud other = open()) {
            ServerlessPlan plan = one.plan(Specs.of("chat"));
            List<Future<ResourceRef>> begun = new ArrayList<>();
            for (ServerlessCloud cloud : List.of(one, other, one, other)) {
                begun.add(threads.submit(() -> cloud.begin(plan)));
            }
            for (Future<ResourceRef> each : begun) {
                assertThat(each.get(60, TimeUnit.SECONDS)).isEqualTo(plan.resource());
            }
            Eventually.is(other, plan.resource(), BackendPhase.READY);
            Eventually.is(one, plan.resource(), BackendPhase.READY);
            assertThat(vendor.version(plan.resource().id())).isEqualTo(1);
            assertThat(vendor.apps()).containsExactly(plan.resource().id());
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void anotherPlanEndsTheDeploymentThatIsUnderWay() {
        CountDownLatch never = new CountDownLatch(1);
        vendor.inject(ModalFault.slow("deploy .*", never));
        try (ServerlessCloud cloud = open()) {
            ResourceRef resource = cloud.begin(cloud.plan(Specs.of("chat")));
            Eventually.holds("it deploys", () -> deployments() == 1);
            cloud.begin(cloud.plan(Specs.scaled("chat", scaling -> scaling.workersMax(9))));
            ServerlessObservation ready = Eventually.is(cloud, resource, BackendPhase.READY);
            assertThat(ready.address().orElseThrow().maxInFlight()).isEqualTo(9 * 32);
            assertThat(vendor.version(resource.id())).isEqualTo(1);
        }
    }

    @Test
    void destroyingEndsTheDeploymentThatIsUnderWay() {
        CountDownLatch never = new CountDownLatch(1);
        vendor.inject(ModalFault.slow("deploy .*", never));
        try (ServerlessCloud cloud = open()) {
            ResourceRef resource = cloud.begin(cloud.plan(Specs.of("chat")));
            Eventually.holds("it deploys", () -> deployments() == 1);
            cloud.destroy(resource);
            Eventually.is(cloud, resource, BackendPhase.GONE);
        }
        assertThat(vendor.apps()).isEmpty();
    }

    @Test
    void anAppThatSomebodyStoppedIsGoneAndCanBeMadeAgain() {
        try (ServerlessCloud cloud = open()) {
            ServerlessPlan plan = cloud.plan(Specs.of("chat"));
            ResourceRef resource = cloud.begin(plan);
            Eventually.is(cloud, resource, BackendPhase.READY);
            vendor.stopApp(resource.id());
            ahead.addAndGet(Duration.ofMinutes(2).toNanos()); // what is ready is looked at seldom
            Eventually.is(cloud, resource, BackendPhase.GONE);
            cloud.begin(plan);
            Eventually.is(cloud, resource, BackendPhase.READY);
        }
        assertThat(deployments()).isEqualTo(2);
    }

    @Test
    @DisplayName("P-03: the command line before 1.4.2 has no --yes, before 1.5.0 other names of fields")
    void olderCommandLinesAreUnderstood() {
        vendor.close();
        vendor = ModalStandIn.builder().version("1.4.1").start();
        context = Contexts.of(vendor).withSecret("modal/proxy-token", Secret.of("wk-old.ws-old"));
        try (ServerlessCloud cloud = open()) {
            assertThat(cloud.preflight(Specs.of("chat"), false).passed()).isTrue();
            ResourceRef resource = cloud.begin(cloud.plan(Specs.of("chat")));
            assertThat(Eventually.is(cloud, resource, BackendPhase.READY)
                            .address()
                            .orElseThrow()
                            .maxInFlight())
                    .isEqualTo(160);
            assertThat(cloud.find()).hasSize(2);
            cloud.destroy(resource);
            Eventually.is(cloud, resource, BackendPhase.GONE);
        }
        assertThat(vendor.calls())
                .as("asked without --yes, once that was refused")
                .anyMatch(call -> call.line().matches("app stop ap-\\w+"));
        vendor.close();
        vendor = ModalStandIn.builder().start(); // whose commands are checked
        try (ServerlessCloud cloud = new ModalProvider().open(Contexts.of(vendor))) {
            assertThat(cloud.find()).isEmpty();
        }
    }

    @Test
    void whileNothingChangesModalIsAskedOnceForAllAndSeldom() {
        MovableClock clock = new MovableClock();
        context = context.withSetting("observe_interval_seconds", "30").withClock(clock);
        try (ServerlessCloud cloud = open()) {
            List<ResourceRef> all = new ArrayList<>();
            for (String name : List.of("one", "two", "three")) {
                all.add(cloud.begin(cloud.plan(Specs.of(name))));
            }
            for (ResourceRef each : all) {
                Eventually.holds(each + " is READY", () -> {
                    clock.passSeconds(1);
                    return cloud.observe(each).phase() == BackendPhase.READY;
                });
            }
            int before = vendor.calls().size();
            for (int second = 0; second < 600; second += 5) {
                clock.passSeconds(5);
                all.forEach(cloud::observe);
            }
            assertThat(vendor.calls().size() - before)
                    .as("commands in ten minutes, for three deployments that are looked at every 5 s")
                    .isBetween(18, 21);
        }
    }
}
