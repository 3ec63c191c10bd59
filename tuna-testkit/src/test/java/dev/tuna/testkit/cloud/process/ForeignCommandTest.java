package dev.tuna.testkit.cloud.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.testkit.cloud.model.MachineSpec;
import dev.tuna.testkit.cloud.plugin.Specs;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ForeignCommandTest {

    @Test
    void fillsPlaceholdersAndSpreadsTheArguments() {
        ForeignCommand command = new ForeignCommand(
                List.of("serve", "{model}", "--listen={host}:{port}", "-n", "{served_model_name}", "{arguments}"));
        ServerCommand.Launch launch =
                command.launch(new MachineSpec("r-1", Specs.engine("--swap-space", "0"), Map.of()));
        String port = Integer.toString(launch.address().orElseThrow().getPort());
        assertThat(launch.words())
                .endsWith("serve", "org/model", "--listen=127.0.0.1:" + port, "-n", "chat", "--swap-space", "0");
    }

    @Test
    void wantsToKnowWhereThePortGoes() {
        assertThatThrownBy(() -> new ForeignCommand(List.of("llama-server", "-m", "x.gguf")))
                .hasMessageContaining("has no {port}");
    }
}
