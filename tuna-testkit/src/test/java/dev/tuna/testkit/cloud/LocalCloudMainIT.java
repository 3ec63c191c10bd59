package dev.tuna.testkit.cloud;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class LocalCloudMainIT {

    @Test
    void namesAnOptionThatItDoesNotKnow() {
        assertThatThrownBy(() -> CloudProcess.start(List.of("--prot", "1")))
                .hasMessageContaining("unknown option '--prot'; allowed: --host, --port");
    }

    @Test
    void namesASettingThatItDoesNotKnow() {
        assertThatThrownBy(() -> CloudProcess.start(List.of("--settings", "{\"coldStrat\":\"PT1S\"}")))
                .hasMessageContaining("coldStrat");
    }

    @Test
    void saysWhenThePortIsTaken() {
        try (LocalCloud first = LocalCloud.builder().startInProcess()) {
            String port = Integer.toString(first.uri().getPort());
            assertThatThrownBy(() -> CloudProcess.start(List.of("--port", port)))
                    .hasMessageContaining("cannot listen on 127.0.0.1:" + port);
        }
    }
}
