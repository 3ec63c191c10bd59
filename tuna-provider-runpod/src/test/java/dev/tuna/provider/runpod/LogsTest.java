package dev.tuna.provider.runpod;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.spi.LogLine;
import dev.tuna.spi.ResourceRef;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.runpod.RunPodStandIn.Trouble;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class LogsTest {

    private final Rig rig = new Rig();

    @AfterEach
    void close() throws Exception {
        rig.close();
    }

    @Test
    @DisplayName("the lines of all workers come in the order of time, with the worker that wrote them")
    void linesOfAllWorkers() {
        ResourceRef endpoint = rig.ready(rig.always("tuna-logs", 2));
        rig.vendor.write(endpoint.id(), "hello");
        List<LogLine> lines = rig.cloud.logs(endpoint, 100);
        assertThat(lines).extracting(LogLine::text).contains("Application startup complete.", "hello");
        assertThat(lines.stream().map(LogLine::container).distinct()).hasSize(2);
        assertThat(lines).extracting(line -> line.at().orElseThrow()).isSorted();
        assertThat(rig.cloud.logs(endpoint, 2)).extracting(LogLine::text).containsExactly("hello", "hello");
    }

    @Test
    @DisplayName("what a container prints of its secrets does not come out")
    void secretsAreHidden() {
        ResourceRef endpoint = rig.ready(rig.always("tuna-logs", 1));
        String token = rig.context
                .secrets()
                .get(ContractContext.MODEL_TOKEN)
                .orElseThrow()
                .reveal();
        rig.vendor.write(
                endpoint.id(),
                "args: --hf-token " + token + " and " + rig.vendor.key().reveal());
        List<LogLine> lines = rig.cloud.logs(endpoint, 1);
        assertThat(lines).extracting(LogLine::text).containsExactly("args: --hf-token *** and ***");
    }

    @Test
    @DisplayName("the log of an engine that cannot start says why")
    void logOfABrokenEngine() {
        ResourceRef endpoint = rig.cloud.begin(rig.always("tuna-logs", 1));
        rig.vendor.trouble(endpoint.id(), Trouble.CRASHING);
        rig.await("it is seen to be broken", () -> rig.cloud.observe(endpoint).phase() == BackendPhase.BOOTING);
        assertThat(rig.cloud.logs(endpoint, 10)).isNotEmpty();
    }
}
