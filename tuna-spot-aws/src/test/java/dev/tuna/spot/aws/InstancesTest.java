package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.spi.ReplicaObservation;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;

class InstancesTest {

    private static Instance instance(InstanceStateName state) {
        return Instance.builder()
                .instanceId("i-1")
                .instanceType("g6.xlarge")
                .state(now -> now.name(state))
                .build();
    }

    @Test
    void aMachineThatHasNoAddressYetBootsAndIsNoFailureT11() {
        Instance fresh = instance(InstanceStateName.RUNNING);
        assertThat(Instances.machine("us-east-1", fresh)).isEmpty();
        ReplicaObservation seen =
                Instances.observation("us-east-1", fresh, Optional.empty(), Optional.empty(), Optional.empty());
        assertThat(seen.phase()).isEqualTo(BackendPhase.BOOTING);
        assertThat(seen.address()).isEmpty();
    }

    @Test
    void aMachineThatIsOnlyAskedForIsNoFailureEitherT11() {
        ReplicaObservation seen = Instances.observation(
                "us-east-1", instance(InstanceStateName.PENDING), Optional.empty(), Optional.empty(), Optional.empty());
        assertThat(seen.phase()).isEqualTo(BackendPhase.REQUESTED);
    }
}
