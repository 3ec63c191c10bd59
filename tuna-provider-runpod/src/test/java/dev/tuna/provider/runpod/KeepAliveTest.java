package dev.tuna.provider.runpod;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.testkit.vendor.VendorFault;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A net that is rarely needed must be there when it is: RunPod takes the workers of endpoints that nobody asks. */
class KeepAliveTest {

    private final Rig rig = new Rig();
    private final ResourceRef endpoint = rig.ready(rig.plan(Specs.named("tuna-idle")));
    private final int wanted = rig.vendor.workersMax(endpoint.id());

    @AfterEach
    void close() throws Exception {
        rig.close();
    }

    @Test
    @DisplayName("the limit that a week without requests has taken is given back within a minute")
    void theLimitIsGivenBack() {
        rig.vendor.passIdleWeek();
        rig.pass(Duration.ofDays(7));
        assertThat(rig.cloud.observe(endpoint).phase()).isEqualTo(BackendPhase.READY);
        assertThat(rig.vendor.workersMax(endpoint.id())).isEqualTo(wanted);
    }

    @Test
    @DisplayName("a process that has just started gives it back as well")
    void afterARestart() {
        rig.vendor.passIdleWeek();
        assertThat(rig.open().observe(endpoint).phase()).isNotEqualTo(BackendPhase.FAILED);
        assertThat(rig.vendor.workersMax(endpoint.id())).isEqualTo(wanted);
    }

    @Test
    @DisplayName("a limit lowered twice within a day is RunPod's will, and is told")
    void isNotFought() {
        rig.vendor.passIdleWeek();
        rig.pass(Duration.ofMinutes(2));
        rig.cloud.observe(endpoint);
        rig.vendor.passIdleWeek();
        rig.pass(Duration.ofMinutes(2));
        ServerlessObservation failed = rig.cloud.observe(endpoint);
        assertThat(failed.phase()).isEqualTo(BackendPhase.FAILED);
        assertThat(failed.detail()).contains("workers.max is 0");
        assertThat(rig.vendor.workersMax(endpoint.id())).isZero();
        rig.pass(Duration.ofDays(1));
        assertThat(rig.cloud.observe(endpoint).phase()).isEqualTo(BackendPhase.READY);
    }

    @Test
    @DisplayName("a limit that cannot be given back now is given back a minute later")
    void triedAgain() {
        rig.vendor.passIdleWeek();
        rig.vendor.inject(VendorFault.answering("PATCH /v2/serverless/.*", Wire.problem(500, "try later")));
        rig.pass(Duration.ofMinutes(2));
        assertThat(rig.cloud.observe(endpoint).phase()).isEqualTo(BackendPhase.FAILED);
        rig.pass(Duration.ofMinutes(2));
        assertThat(rig.cloud.observe(endpoint).phase()).isEqualTo(BackendPhase.READY);
        assertThat(rig.vendor.workersMax(endpoint.id())).isEqualTo(wanted);
    }

    @Test
    @DisplayName("what was parked on purpose stays parked")
    void parkedStaysParked() {
        rig.cloud.park(endpoint);
        rig.pass(Duration.ofDays(8));
        assertThat(rig.cloud.observe(endpoint).phase()).isEqualTo(BackendPhase.DRAINING);
        rig.cloud.unpark(endpoint);
        assertThat(rig.vendor.workersMax(endpoint.id())).isEqualTo(wanted);
    }
}
