package dev.tuna.core.parity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DestroyReport;
import dev.tuna.api.SpotState;
import dev.tuna.core.ForwardingServerless;
import dev.tuna.core.Simulation;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.testkit.cloud.simulated.CallFault;
import dev.tuna.testkit.cloud.simulated.CloudCall.Operation;
import dev.tuna.testkit.cloud.simulated.FaultScript;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** How deployments end: rows O-21 to O-23 and C-08, C-09. */
class DestroyParityTest {

    private static final ResourceRef HELPER = new ResourceRef("local", "template", "chat-template");

    private final Simulation world = new Simulation();

    @AfterEach
    void close() {
        world.close();
    }

    @Test
    @DisplayName("O-21: requests in flight are finished first, and the endpoint goes last")
    void drainsAndTakesTheEndpointAwayLast() {
        Deployment chat = world.serving();
        world.gateway.request("chat", Duration.ofSeconds(40));
        CompletableFuture<DestroyReport> destroyed = chat.destroy();
        world.pass(Duration.ofSeconds(30));
        assertThat(world.running()).hasSize(1);
        assertThat(world.gateway.route("chat").replicas()).allMatch(backend -> backend.draining());
        assertThat(chat.status().traffic().inFlight()).isEqualTo(1);
        world.cloud.faults(FaultScript.onEvery(Operation.DELETE_ENDPOINT, CallFault.status(500)));
        world.pass(Duration.ofMinutes(5));
        assertThat(chat.status().traffic().succeeded()).isEqualTo(1);
        assertThat(world.running()).isEmpty();
        assertThat(world.gateway.has("chat"))
                .as("the endpoint, while something is left")
                .isTrue();
        world.cloud.faults(FaultScript.NONE);
        assertThat(world.until(destroyed::isDone)).isTrue();
        assertThat(world.gateway.has("chat")).isFalse();
        assertThat(world.tuna.status("chat").traffic().succeeded()).isEqualTo(1);
    }

    @Test
    @DisplayName("C-08: destroyed means that every cloud has confirmed it")
    void isNotDestroyedWhileAProviderRefuses() {
        Deployment chat = world.serving();
        world.cloud.faults(FaultScript.onEvery(Operation.TERMINATE, CallFault.status(403)));
        CompletableFuture<DestroyReport> destroyed = chat.destroy();
        world.pass(Duration.ofHours(1));
        assertThat(destroyed).isNotDone();
        assertThat(chat.status().phase()).isEqualTo(DeploymentPhase.DESTROYING);
        assertThat(chat.status().problems()).singleElement().asString().contains("replica-1", "403");
        world.cloud.faults(FaultScript.NONE);
        assertThat(world.until(destroyed::isDone)).isTrue();
        assertThat(destroyed.join().removed()).hasSize(2);
    }

    @Test
    @DisplayName("C-09: all deployments go side by side, and a stuck one holds up nobody")
    void aStuckDeploymentHoldsUpNoOther() {
        world.serving();
        Deployment other = world.tuna.deploy(DeployRequest.builder("other/model", "L4")
                .serviceName("other")
                .serverlessProviders("local")
                .build());
        assertThat(world.until(() -> other.status().spotState() == SpotState.READY))
                .isTrue();
        String stuck = world.running().stream()
                .filter(replica -> replica.deployment().equals("chat"))
                .findFirst()
                .orElseThrow()
                .id();
        world.cloud.faults(
                call -> call.operation() == Operation.TERMINATE && call.target().equals(stuck)
                        ? Optional.of(CallFault.timeout())
                        : Optional.empty());
        CompletableFuture<List<DestroyReport>> all = world.tuna.destroyAll();
        assertThat(world.until(() -> world.tuna.deployment("other").isEmpty())).isTrue();
        assertThat(all).isNotDone();
        assertThat(world.tuna.deployment("chat")).isPresent();
        world.cloud.faults(FaultScript.NONE);
        assertThat(world.until(all::isDone)).isTrue();
        assertThat(all.join()).hasSize(2);
        assertThat(world.cloud.snapshot().empty()).isTrue();
    }

    /** Declares a helper before it makes an endpoint, and for some time fails to remove it with the endpoint. */
    private static final class WithHelper extends ForwardingServerless {
        private final List<ResourceRef> asked = new ArrayList<>();
        private boolean stubborn = true;

        WithHelper(Simulation world) {
            super(world.cloud.serverless());
        }

        @Override
        public ResourceRef begin(ServerlessPlan plan) {
            context.journal().intend(plan.deployment(), HELPER, "{}");
            return super.begin(plan);
        }

        @Override
        public void destroy(ResourceRef resource) {
            asked.add(resource);
            if (!resource.equals(HELPER)) {
                super.destroy(resource);
            } else if (!stubborn) {
                context.journal().gone(HELPER);
            }
        }
    }

    @Test
    @DisplayName(
            "O-22: what a plugin made beside its endpoint is asked for until the plugin has confirmed that it is gone")
    void helpersAreVerifiedToo() {
        var plugin = new WithHelper(world);
        world.serverless = plugin;
        Deployment chat = world.serving();
        CompletableFuture<DestroyReport> destroyed = chat.destroy();
        world.pass(Duration.ofMinutes(30));
        assertThat(destroyed).isNotDone();
        assertThat(chat.status().phase()).isEqualTo(DeploymentPhase.DESTROYING);
        assertThat(chat.status().problems()).singleElement().asString().contains(HELPER.toString());
        assertThat(plugin.asked).contains(HELPER);
        // Also the next process does not forget it.
        world.restart();
        world.pass(Duration.ofMinutes(10));
        assertThat(world.tuna.deployments()).hasSize(1);
        plugin.stubborn = false;
        assertThat(world.until(() -> world.tuna.deployments().isEmpty())).isTrue();
        assertThat(world.store.load().resources()).isEmpty();
        assertThat(world.tuna.status("chat").phase()).isEqualTo(DeploymentPhase.DESTROYED);
    }

    /** Gives each deployment a volume for its weights, and shows that it has it. */
    private static final class WithVolumes extends ForwardingServerless {
        private final Set<ResourceRef> volumes = new TreeSet<>(Comparator.comparing(ResourceRef::id));

        WithVolumes(Simulation world) {
            super(world.cloud.serverless());
        }

        @Override
        public ResourceRef begin(ServerlessPlan plan) {
            var volume = new ResourceRef("local", "volume", plan.deployment() + "-weights");
            context.journal().intend(plan.deployment(), volume, "{}");
            volumes.add(volume);
            return super.begin(plan);
        }

        @Override
        public void destroy(ResourceRef resource) {
            if (volumes.remove(resource)) {
                context.journal().gone(resource);
            } else {
                super.destroy(resource);
            }
        }
    }

    @Test
    @DisplayName("W-04: the volume that a plugin made for a deployment goes with it, and another deployment's stays")
    void volumesGoWithTheirDeployment() {
        var plugin = new WithVolumes(world);
        world.serverless = plugin;
        Deployment chat = world.serving();
        Deployment other = world.tuna.deploy(DeployRequest.builder("other/model", "L4")
                .serviceName("other")
                .serverlessProviders("local")
                .build());
        assertThat(world.until(other.ready()::isDone)).isTrue();
        assertThat(plugin.volumes).extracting(ResourceRef::id).containsExactly("chat-weights", "other-weights");
        assertThat(world.until(chat.destroy()::isDone)).isTrue();
        assertThat(plugin.volumes).extracting(ResourceRef::id).containsExactly("other-weights");
        assertThat(world.until(other.destroy()::isDone)).isTrue();
        assertThat(plugin.volumes).isEmpty();
    }

    @Test
    @DisplayName("O-23: what goes belongs to the deployment; what another one has stays")
    void touchesNothingElse() {
        Deployment chat = world.serving();
        Deployment other = world.tuna.deploy(DeployRequest.builder("other/model", "L4")
                .serviceName("other")
                .serverlessProviders("local")
                .build());
        assertThat(world.until(() -> other.status().spotState() == SpotState.READY))
                .isTrue();
        assertThat(world.until(chat.destroy()::isDone)).isTrue();
        assertThat(world.running())
                .hasSize(1)
                .allMatch(replica -> replica.deployment().equals("other"));
        world.gateway.request("other", Duration.ofSeconds(1));
        assertThat(world.until(() -> other.status().traffic().succeeded() == 1)).isTrue();
    }

    @Test
    @DisplayName("C-08: a destroy asked for while the state cannot be stored is done when it can")
    void nothingIsLostWhileTheStoreCannotBeWritten() {
        Deployment chat = world.serving();
        world.unwritable = true;
        CompletableFuture<DestroyReport> destroyed = chat.destroy();
        world.pass(Duration.ofMinutes(5));
        assertThat(destroyed).isNotDone();
        assertThat(world.running())
                .as("nothing is removed that the store does not know to be going")
                .hasSize(1);
        assertThat(chat.status().problems()).anyMatch(problem -> problem.contains("cannot be stored"));
        world.unwritable = false;
        assertThat(world.until(destroyed::isDone)).isTrue();
        assertThat(world.cloud.snapshot().empty()).isTrue();
        assertThat(world.store.load().resources()).isEmpty();
    }
}
