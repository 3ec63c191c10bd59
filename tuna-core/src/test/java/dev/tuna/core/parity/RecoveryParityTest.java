package dev.tuna.core.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.DeploymentEvent.Kind;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Orphan;
import dev.tuna.api.OrphanReport;
import dev.tuna.api.SpotState;
import dev.tuna.api.StoreException;
import dev.tuna.core.Simulation;
import dev.tuna.core.Tuna;
import dev.tuna.core.store.InMemoryStateStore;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.spi.StateChange;
import dev.tuna.testkit.cloud.simulated.CallFault;
import dev.tuna.testkit.cloud.simulated.CloudCall.Operation;
import dev.tuna.testkit.cloud.simulated.FaultScript;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What is known after a restart, and what is found when it is lost: rows D-02 to D-05. */
class RecoveryParityTest {

    private final Simulation world = new Simulation();

    @AfterEach
    void close() {
        world.close();
    }

    private String adopted() {
        return world.events.stream()
                .filter(event -> event.kind() == Kind.ADOPTED)
                .map(DeploymentEvent::message)
                .reduce((first, second) -> second)
                .orElseThrow();
    }

    @Test
    @DisplayName("D-02: a change keeps what the deployment before it made, and removes it")
    void aChangeForgetsNothing() {
        Deployment chat = world.serving();
        world.tuna.redeploy(
                Simulation.chat().serverlessProviders("local").maxModelLen(8192).build());
        world.pass(Duration.ofSeconds(1));
        assertThat(world.store.load().deployments()).hasSize(2);
        assertThat(world.until(() -> world.store.load().deployments().size() == 1))
                .isTrue();
        assertThat(chat.status().backends()).allMatch(backend -> backend.id().startsWith("r2-"));
        assertThat(world.tuna.orphans().found()).isEmpty();
    }

    @Test
    @DisplayName("D-03: failed is written, and kept")
    void failedIsAState() {
        world.cloud.faults(FaultScript.onEvery(Operation.PUT_ENDPOINT, CallFault.status(403)));
        Deployment chat =
                world.start().deploy(Simulation.chat().serverlessOnly(true).build());
        assertThat(world.until(() -> chat.status().phase() == DeploymentPhase.FAILED))
                .isTrue();
        assertThat(world.restart().status("chat").phase()).isEqualTo(DeploymentPhase.FAILED);
    }

    @Test
    @DisplayName("D-04: one process controls a store, and one deploy gets a name")
    void oneController() {
        world.start();
        assertThatThrownBy(() -> world.store.reopen())
                .isInstanceOfSatisfying(
                        StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_LOCKED));
    }

    @Test
    @DisplayName("D-05: the next process says what it found and what goes on")
    void theNextProcessSaysWhatGoesOn() {
        world.serving();
        world.restart();
        assertThat(adopted()).contains("2 backends", "kept: local, replica-1");

        world.tuna.redeploy(
                Simulation.chat().serverlessProviders("local").maxModelLen(8192).build());
        world.pass(Duration.ofMinutes(1));
        world.restart();
        assertThat(adopted()).contains("the roll to revision 2 goes on");

        world.cloud.faults(FaultScript.onEvery(Operation.TERMINATE, CallFault.status(500)));
        var unused = world.tuna.deployment("chat").orElseThrow().destroy();
        world.pass(Duration.ofMinutes(1));
        world.restart();
        assertThat(adopted()).contains("tearing down goes on", "still being removed: replica-1");
        world.cloud.faults(FaultScript.NONE);
        assertThat(world.until(() -> world.tuna.deployments().isEmpty())).isTrue();
    }

    @Test
    @DisplayName("D-05: machines that do not come up cost nothing more because the process was restarted")
    void aCrashLoopRestsOverARestart() {
        world.cloud.failBoots("local-1a/l4-1/SPOT", 1000);
        world.cloud.failBoots("local-1b/l4-1/SPOT", 1000);
        Deployment chat = world.start().deploy(Simulation.chat().build());
        for (int minute = 0; minute < 120 && !rests(chat); minute++) {
            world.traffic("chat", Duration.ofMinutes(1), Duration.ofSeconds(10), Duration.ofSeconds(1));
        }
        assertThat(rests(chat)).isTrue();
        long launches = world.cloud.callCount(Operation.LAUNCH);
        for (int i = 0; i < 3; i++) {
            world.restart();
            world.gateway.request("chat", Duration.ofSeconds(1));
            world.pass(Duration.ofMinutes(5));
        }
        assertThat(world.cloud.callCount(Operation.LAUNCH)).isEqualTo(launches);
    }

    private static boolean rests(Deployment deployment) {
        return deployment.status().problems().stream().anyMatch(problem -> problem.contains("launching rests"));
    }

    /** As a store that lost the row of a replica: the deployment lives, and knows nothing of it. */
    private void forget(String backend) {
        world.tuna.close();
        ResourceRecord known = world.store.load().resources().stream()
                .filter(record -> record.key().endsWith("/" + backend))
                .findFirst()
                .orElseThrow();
        world.store.save(new StateChange(
                List.of(),
                List.of(new ResourceRecord(
                        known.key(),
                        known.deploymentId(),
                        known.provider(),
                        known.tier(),
                        ResourceRecord.State.GONE,
                        known.resource(),
                        known.plan(),
                        known.details(),
                        known.createdAt(),
                        known.updatedAt())),
                List.of()));
        world.store.close();
        world.store = world.store.reopen();
        world.start();
    }

    private Orphan onlyOrphan() {
        OrphanReport report = world.tuna.orphans();
        assertThat(report.problems()).isEmpty();
        assertThat(report.found()).hasSize(1);
        return report.found().get(0);
    }

    @Test
    @DisplayName("D-05: a replica that the store lost is taken in again, and billed from its creation")
    void anOrphanOfALiveDeploymentCanBeAdopted() {
        world.serving();
        forget("replica-1");
        Deployment chat = world.tuna.deployment("chat").orElseThrow();
        Orphan orphan = onlyOrphan();
        assertThat(orphan.ours()).isTrue();
        assertThat(orphan.deployment()).isEqualTo("chat");
        assertThat(world.tuna.adopt(orphan).name()).isEqualTo("chat");
        assertThat(world.until(() -> chat.status().backends().stream()
                        .anyMatch(backend -> backend.id().equals("replica-2"))))
                .isTrue();
        assertThat(world.until(() -> chat.status().spotState() == SpotState.READY))
                .isTrue();
        assertThat(world.tuna.orphans().found()).isEmpty();
        assertThat(world.until(chat.destroy()::isDone)).isTrue();
        assertThat(world.cloud.snapshot().empty()).isTrue();
        var machine = world.cloud.snapshot().replicas().get(0);
        assertThat(chat.cost().lines())
                .filteredOn(line -> line.backend().equals("replica-2"))
                .singleElement()
                .satisfies(line -> assertThat(line.billed()).isEqualTo(machine.billed()));
    }

    @Test
    @DisplayName("D-05: with the store lost and the owner id kept, everything is found and can be removed")
    void withTheOwnerIdWhatWasLostCanBeDestroyed() {
        world.serving();
        world.tuna.close();
        world.store.close();
        world.store = new InMemoryStateStore("0123456789abcdef");
        Tuna next = world.start();
        List<Orphan> found = next.orphans().found();
        assertThat(found).hasSize(2).allMatch(Orphan::ours);
        assertThatThrownBy(() -> next.adopt(found.get(0)))
                .isInstanceOfSatisfying(
                        ConfigurationException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.NO_SUCH_DEPLOYMENT))
                .hasMessageContaining("not live");
        for (Orphan orphan : found) {
            assertThat(world.until(() -> next.destroy(orphan))).isTrue();
        }
        assertThat(world.cloud.snapshot().empty()).isTrue();
        assertThat(next.orphans().found()).isEmpty();
    }

    @Test
    @DisplayName("D-05: with the owner id lost too, what is found is another owner's and is never touched")
    void withoutTheOwnerIdNothingIsTouched() {
        world.serving();
        world.tuna.close();
        world.store.close();
        world.store = new InMemoryStateStore("fedcba9876543210");
        Tuna next = world.start();
        List<Orphan> found = next.orphans().found();
        assertThat(found).hasSize(2).noneMatch(Orphan::ours);
        for (Orphan orphan : found) {
            assertThatThrownBy(() -> next.destroy(orphan))
                    .hasMessageContaining("0123456789abcdef")
                    .hasMessageContaining("never touched");
            assertThatThrownBy(() -> next.adopt(orphan)).hasMessageContaining("never touched");
            Orphan forged = new Orphan(
                    orphan.provider(),
                    orphan.id(),
                    orphan.kind(),
                    "fedcba9876543210",
                    orphan.deployment(),
                    true,
                    orphan.createdAt());
            assertThatThrownBy(() -> next.destroy(forged)).hasMessageContaining("never touched");
        }
        assertThat(world.running()).hasSize(1);
    }

    @Test
    @DisplayName("D-05: what belongs to a live deployment, or does not fit one, is refused with the reason")
    void whatDoesNotFitIsRefused() {
        world.serving();
        world.tuna.redeploy(Simulation.chat()
                .serverlessProviders("local")
                .serverlessOnly(true)
                .build());
        String id = world.running().get(0).id();
        Orphan known = new Orphan("local-spot", id, "replica", "0123456789abcdef", "chat", true, Optional.empty());
        assertThatThrownBy(() -> world.tuna.destroy(known)).hasMessageContaining("belongs to a live deployment");
        assertThatThrownBy(() -> world.tuna.adopt(known)).hasMessageContaining("already");
        forget("replica-1");
        Orphan lost = onlyOrphan();
        assertThatThrownBy(() -> world.tuna.adopt(lost))
                .hasMessageContaining("max_replicas is 0")
                .hasMessageContaining("destroy it");
        assertThat(world.until(() -> world.tuna.destroy(lost))).isTrue();
    }

    @Test
    @DisplayName("D-05: a cloud that could not be searched is part of the result")
    void aCloudThatCannotBeSearchedIsNamed() {
        world.serving();
        world.cloud.faults(FaultScript.onEvery(Operation.LIST_REPLICAS, CallFault.status(401)));
        OrphanReport report = world.tuna.orphans();
        assertThat(report.found()).isEmpty();
        assertThat(report.problems()).singleElement().asString().contains("local-spot cannot be searched", "401");
    }
}
