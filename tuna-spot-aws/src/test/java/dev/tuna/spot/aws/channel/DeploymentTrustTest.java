package dev.tuna.spot.aws.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.ConfigurationException;
import dev.tuna.testkit.contract.InMemorySecretStore;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DeploymentTrustTest {

    private final InMemorySecretStore kept = new InMemorySecretStore();

    private DeploymentTrust restarted() {
        return new DeploymentTrust(kept, "tuna-1", InstantSource.system());
    }

    private ReplicaChannel channel(DeploymentTrust trust) {
        InetSocketAddress nobody = new InetSocketAddress(InetAddress.getLoopbackAddress(), 1);
        return new ReplicaChannel(trust, "r-1", nobody, Map::of, ChannelTimes.DEFAULT);
    }

    @Test
    void anAuthorityThatIsLostIsNotMadeAnewForReplicasThatKnowTheOldOne() {
        restarted().certificate();
        kept.refs().forEach(kept::remove);
        DeploymentTrust trust = restarted();
        try (ReplicaChannel channel = channel(trust)) {
            assertThatThrownBy(channel::look)
                    .isInstanceOf(UntrustedReplicaException.class)
                    .hasMessageContaining("aws/tuna-1/authority")
                    .hasMessageContaining("put the secret back")
                    .hasMessageContaining("the next launch makes a new authority");
        }
        assertThatThrownBy(() -> trust.router("r-1"))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("aws/tuna-1/authority");
        assertThat(kept.refs()).isEmpty();
    }

    @Test
    void anAuthorityThatIsPutBackIsUsedAgain() {
        DeploymentTrust first = restarted();
        String certificate = first.certificate();
        var refs = kept.refs();
        var saved = refs.stream().map(ref -> kept.get(ref).orElseThrow()).toList();
        refs.forEach(kept::remove);
        DeploymentTrust trust = restarted();
        assertThat(trust.lost()).isPresent();
        kept.put(refs.iterator().next(), saved.get(0));
        assertThat(trust.lost()).isEmpty();
        assertThat(trust.certificate()).isEqualTo(certificate);
    }

    @Test
    void aLaunchMakesTheAuthorityAndNothingElseDoes() {
        DeploymentTrust trust = restarted();
        trust.token("r-1");
        assertThat(trust.lost()).isPresent();
        assertThat(kept.refs()).hasSize(1);
        trust.certificate();
        assertThat(trust.lost()).isEmpty();
        assertThat(trust.router("r-1")).isNotNull();
    }
}
