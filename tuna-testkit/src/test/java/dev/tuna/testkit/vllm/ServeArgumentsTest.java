package dev.tuna.testkit.vllm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServeArgumentsTest {

    private static StandInConfig config(String line) throws Exception {
        return ServeArguments.parse(line.split(" ")).builder(Map.of()).config();
    }

    @Test
    void readsOptionsInEverySpelling() throws Exception {
        StandInConfig config = config("serve m --max_model_len 8K --port=9 --shutdown-timeout 100 --max-num-seqs 7"
                + " --enable-request-id-headers --standin-ttft 250ms --standin-tokens-per-second 30");
        assertThat(config.maxModelLen()).isEqualTo(8192);
        assertThat(config.port()).isEqualTo(9);
        assertThat(config.shutdownTimeout()).isEqualTo(Duration.ofSeconds(100));
        assertThat(config.capacity()).isEqualTo(7);
        assertThat(config.requestIdHeaders()).isTrue();
        assertThat(config.timeToFirstToken()).isEqualTo(Duration.ofMillis(250));
        assertThat(config.tokensPerSecond()).isEqualTo(30);
        assertThat(config.servedNames()).containsExactly("m");
    }

    @Test
    void hidesKeysInItsText() throws Exception {
        assertThat(config("serve m --api-key secret-1 secret-2").toString()).doesNotContain("secret-");
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "chat m|invalid choice: 'chat'",
                "serve m --nonsense 3|unrecognized arguments: --nonsense 3",
                "serve m --enforce-eager false|unrecognized arguments: false",
                "serve m --port|argument --port: expected one argument",
                "serve m --port x|argument --port: invalid int value: 'x'",
                "serve m --enforce-eager=true|ignored explicit argument 'true'",
                "serve m --max-model-len many|invalid human_readable_int value: 'many'",
                "serve m --port 70000|port must be from 0 to 65535",
            })
    void refusesWhatVllmRefuses(String line, String message) {
        assertThatThrownBy(() -> config(line)).hasMessageContaining(message);
    }
}
