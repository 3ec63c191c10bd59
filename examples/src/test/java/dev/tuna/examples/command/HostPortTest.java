package dev.tuna.examples.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HostPortTest {

    @ParameterizedTest
    @CsvSource({"127.0.0.1:8080,127.0.0.1,8080", "[::1]:0,::1,0", "localhost:1,localhost,1", "9000,127.0.0.1,9000"})
    void readsAnAddress(String text, String host, int port) {
        assertThat(HostPort.parse(text)).isEqualTo(new HostPort(host, port));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "127.0.0.1",
                "127.0.0.1:",
                ":8080",
                "host:70000",
                "host:-1",
                "a:b",
                "http://host:1",
                "u@h:1",
                "h:1/x"
            })
    void refusesWhatIsNoneAndSaysWhatIs(String text) {
        assertThatThrownBy(() -> HostPort.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'" + text + "'")
                .hasMessageContaining("127.0.0.1:8080");
    }
}
