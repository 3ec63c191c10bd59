package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.spot.aws.channel.ChannelTimes;
import dev.tuna.testkit.contract.ContractContext;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ChannelLinkTest {

    private final ContractContext context = ContractContext.create();

    private static ReplicaLink.Machine machine() {
        return new ReplicaLink.Machine(
                "us-east-1", "i-1", "chat", "chat-r1", "127.0.0.1", 1, Optional.empty(), Map.of());
    }

    @Test
    void aReplicaWhoseAuthorityIsLostIsToldAsLostAndNoOtherAuthorityIsMade() {
        var before = List.copyOf(context.secrets().refs());
        try (ChannelLink link = new ChannelLink(context, ChannelTimes.DEFAULT)) {
            ReplicaLink.Report report = link.look(machine()).orElseThrow();
            assertThat(report.phase()).isEqualTo(BackendPhase.FAILED);
            assertThat(report.detail())
                    .contains("certificate authority of deployment 'chat'")
                    .contains("put the secret back");
        }
        assertThat(context.secrets().refs()).containsExactlyInAnyOrderElementsOf(before);
    }

    @Test
    void aReplicaThatDoesNotAnswerYetHasSaidNothingT11() {
        try (ChannelLink link = new ChannelLink(context, ChannelTimes.DEFAULT)) {
            link.userData(
                    "{\"image\":\"i\",\"arguments\":[],\"port\":8443,\"orphanTimeoutSeconds\":900,\"modelCache\":\"\"}",
                    "chat",
                    "chat-r1");
            assertThat(link.isSilent("i-1")).isFalse();
            assertThat(link.look(machine())).isEmpty();
            assertThat(link.isSilent("i-1")).isTrue();
        }
    }
}
