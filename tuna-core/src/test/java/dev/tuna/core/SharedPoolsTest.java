package dev.tuna.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.CapacityException;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.SpotState;
import dev.tuna.testkit.cloud.model.ReplicaView;
import dev.tuna.testkit.cloud.simulated.CallFault;
import dev.tuna.testkit.cloud.simulated.CloudCall.Operation;
import dev.tuna.testkit.cloud.simulated.FaultScript;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What one deployment learns of pools holds for all of them, over restarts too, on virtual time. */
class SharedPoolsTest {

    private static final String ZONE_A = "local-1a/l4-1/SPOT";
    private static final String ZONE_B = "local-1b/l4-1/SPOT";

    private final Simulation world = new Simulation(Simulation.rememberingAll());

    @AfterEach
    void close() {
        world.close();
    }

    private Deployment deploy(String name) {
        return world.tuna.deploy(DeployRequest.builder("test/" + name, "L4")
                .serviceName(name)
                .serverlessProviders("local")
                .build());
    }

    private long launches() {
        return world.cloud.callCount(Operation.LAUNCH);
    }

    @Test
    void aPoolThatRefusedOneIsLeftAloneByTheNextForMinutes() {
        world.cloud.setCapacity(ZONE_A, 0);
        world.cloud.setCapacity(ZONE_B, 0);
        world.start();
        Deployment one = deploy("one");
        world.pass(Duration.ofSeconds(20));
        long asked = launches();
        assertThat(asked).isEqualTo(1);
        Deployment two = deploy("two");
        world.pass(Duration.ofMinutes(2));
        assertThat(launches()).as("nobody asks again yet").isEqualTo(asked);
        assertThat(two.status().problems()).singleElement().asString().contains("no machine", "asked again in 2m");
        world.cloud.setCapacity(ZONE_A, 2);
        assertThat(world.until(() -> one.status().spotState() == SpotState.READY
                        && two.status().spotState() == SpotState.READY))
                .isTrue();
        assertThat(two.status().problems()).isEmpty();
    }

    @Test
    void whatWasLearnedByOneThatIsOverOutlivesARestart() {
        world.start();
        Deployment one = deploy("one");
        assertThat(world.until(() -> one.status().spotState() == SpotState.READY))
                .isTrue();
        String lost = world.running().get(0).pool();
        world.cloud.lose(world.running().get(0).id());
        world.pass(Duration.ofSeconds(30));
        assertThat(world.until(one.destroy()::isDone)).isTrue();
        world.restart();
        deploy("two");
        world.pass(Duration.ofSeconds(30));
        assertThat(world.running())
                .singleElement()
                .extracting(ReplicaView::pool)
                .as("the other pool, which has lost nothing lately")
                .isNotEqualTo(lost);
    }

    @Test
    void aQuotaThatRefusedOneIsNotTriedByTheNext() {
        world.cloud.faults(FaultScript.onEvery(
                Operation.LAUNCH,
                CallFault.throwing(
                        new CapacityException(ErrorCode.QUOTA, "quota 'L-3819A6DF' for spot L4 is 0; raise it"))));
        world.start();
        deploy("one");
        world.pass(Duration.ofMinutes(1));
        assertThat(launches()).isEqualTo(1);
        world.crash();
        deploy("two");
        world.pass(Duration.ofMinutes(20));
        assertThat(launches()).isEqualTo(1);
    }
}
