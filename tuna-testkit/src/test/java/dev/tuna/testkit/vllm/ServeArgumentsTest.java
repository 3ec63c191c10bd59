package dev.tuna.testkit.vllm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.SecretRef;
import dev.tuna.provider.support.vllm.VllmCommand;
import dev.tuna.provider.support.vllm.VllmFlag;
import dev.tuna.provider.support.vllm.VllmFlags;
import dev.tuna.provider.support.vllm.VllmVersion;
import dev.tuna.spi.EngineSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

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
                "serve m --disable-log-requests|unrecognized arguments: --disable-log-requests",
                "serve m --shutdown-timeout 9 --standin-version 0.17.0|unrecognized arguments: --shutdown-timeout 9",
            })
    void refusesWhatVllmRefuses(String line, String message) {
        assertThatThrownBy(() -> config(line)).hasMessageContaining(message);
    }

    /** Every version at which an option comes or goes, the one before it as far as that is known, and the newest. */
    static Stream<VllmVersion> versions() {
        return Stream.of(
                        VllmFlags.all().stream().map(VllmFlag::since),
                        VllmFlags.all().stream().flatMap(flag -> flag.until().stream()),
                        Stream.of(
                                new VllmVersion(0, 11, 0),
                                new VllmVersion(0, 15, 1),
                                new VllmVersion(0, 17, 1),
                                new VllmVersion(0, 26, 0),
                                VllmVersion.CURRENT))
                .flatMap(versions -> versions)
                .sorted()
                .distinct();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("versions")
    void acceptsEveryCommandThatIsBuiltForItsVersion(VllmVersion version) throws Exception {
        for (boolean fastBoot : List.of(true, false)) {
            List<String> options = fastBoot ? optionsOf(version) : List.of();
            for (String capability : List.of("7.5", "8.9")) {
                VllmCommand command = VllmCommand.builder(engine(version, fastBoot, capability, options))
                        .port(8001)
                        .shutdownTimeout(Duration.ofSeconds(100))
                        .build();
                StandInConfig config = asVersion(version, command.words());
                assertThat(config.port()).isEqualTo(8001);
                assertThat(config.servedNames()).containsExactly("chat");
                assertThat(config.maxModelLen()).isEqualTo(8192);
                assertThat(config.shutdownTimeout())
                        .isEqualTo(
                                version.isBefore(new VllmVersion(0, 18, 0)) ? Duration.ZERO : Duration.ofSeconds(100));
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("versions")
    void refusesEveryOptionThatItsVersionIsWithout(VllmVersion version) {
        VllmFlags.all().stream()
                .filter(flag -> !flag.isIn(version))
                .forEach(flag -> assertThatThrownBy(
                                () -> asVersion(version, List.of("vllm", "serve", "m", "--" + flag.name())))
                        .hasMessage("unrecognized arguments: --" + flag.name()));
    }

    private static StandInConfig asVersion(VllmVersion version, List<String> vllm) throws Exception {
        List<String> words = new ArrayList<>(vllm.subList(1, vllm.size()));
        words.addAll(List.of("--standin-version", version.toString()));
        return ServeArguments.parse(words.toArray(String[]::new))
                .builder(Map.of())
                .config();
    }

    /** Each option of a version that Tuna leaves to the user, with as many values as it takes. */
    private static List<String> optionsOf(VllmVersion version) {
        List<String> words = new ArrayList<>();
        for (VllmFlag flag : VllmFlags.all()) {
            List<String> option = new ArrayList<>(List.of("--" + flag.name()));
            switch (flag.values()) {
                case SWITCH, PAIR -> {}
                case ONE -> option.add("1");
                case MANY -> option.addAll(List.of("1", "2"));
            }
            if (flag.isIn(version) && isLeftToTheUser(version, option)) {
                words.addAll(option);
            }
        }
        assertThat(words).contains("--seed", "--trust-remote-code", "--chat-template");
        return words;
    }

    private static boolean isLeftToTheUser(VllmVersion version, List<String> option) {
        try {
            VllmCommand.builder(engine(version, false, "8.9", option)).build();
            return true;
        } catch (ConfigurationException e) {
            assertThat(e).hasMessageContaining("which Tuna sets itself");
            return false;
        }
    }

    private static EngineSpec engine(VllmVersion version, boolean fastBoot, String capability, List<String> arguments) {
        return new EngineSpec(
                "org/model",
                "chat",
                "L4",
                Optional.of(capability),
                2,
                2,
                8192,
                Optional.of("awq"),
                fastBoot,
                Optional.of(version.toString()),
                arguments,
                Optional.empty(),
                Optional.of(new SecretRef("key")),
                Map.of());
    }
}
