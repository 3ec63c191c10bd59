package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.spi.ReplicaObservation;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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

    @ParameterizedTest(name = "{0}: taken {1}")
    @CsvSource({
        "Server.SpotInstanceTermination, true",
        "Server.SpotInstanceShutdown, true",
        "Server.InsufficientInstanceCapacity, true",
        "Client.UserInitiatedShutdown, false",
        "Client.InstanceInitiatedShutdown, false",
        "Server.InternalError, false",
    })
    void whatEc2TakesIsToldFromWhatBreaksEvenIfNoNoticeWasHeard(String code, boolean taken) {
        Instant launch = Instant.parse("2026-01-01T00:00:00Z");
        for (InstanceStateName state : List.of(InstanceStateName.SHUTTING_DOWN, InstanceStateName.TERMINATED)) {
            Instance ending = instance(state).toBuilder()
                    .launchTime(launch)
                    .stateReason(reason -> reason.code(code).message(code + ": as EC2 says it"))
                    .build();
            ReplicaObservation seen =
                    Instances.observation("us-east-1", ending, Optional.empty(), Optional.empty(), Optional.empty());
            assertThat(seen.interruptionAt())
                    .as("%s", state)
                    .isEqualTo(Optional.of(launch).filter(at -> taken));
        }
    }
}
