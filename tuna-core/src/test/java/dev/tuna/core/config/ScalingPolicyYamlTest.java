package dev.tuna.core.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ScalingPolicy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ScalingPolicyYamlTest {

    @TempDir
    Path directory;

    private static List<String> problems(String text) {
        return catchThrowableOfType(ConfigurationException.class, () -> ScalingPolicyYaml.read(text, "p.yaml"))
                .problems();
    }

    @Test
    @DisplayName("S-01 to S-05 every key can be set")
    void readsEveryKey() {
        ScalingPolicy policy = ScalingPolicyYaml.read("""
                spot:
                  min_replicas: 1
                  max_replicas: 7
                  target_qps: 2.5
                  target_tokens_per_second: 1200
                  upscale_delay: 500ms
                  downscale_delay: 1h30m
                  keep_last: with_traffic
                  first_token_limit: 10s
                  on_demand: never
                serverless:
                  concurrency: 8
                  scaledown_window: 90s
                  timeout: 120
                  workers_min: 2
                  workers_max: 3
                  scaler_value: 6
                """, "p.yaml");

        assertThat(policy)
                .isEqualTo(new ScalingPolicy(
                        new ScalingPolicy.Spot(
                                1,
                                7,
                                2.5,
                                OptionalDouble.of(1200),
                                Duration.ofMillis(500),
                                Duration.ofMinutes(90),
                                ScalingPolicy.Spot.KeepLast.WITH_TRAFFIC,
                                Optional.of(Duration.ofSeconds(10)),
                                ScalingPolicy.Spot.OnDemand.NEVER),
                        new ScalingPolicy.Serverless(
                                8, Duration.ofSeconds(90), Duration.ofMinutes(2), 2, OptionalInt.of(3), 6)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", " \n", "# nothing said\n", "---\n", "---\n# nothing\n...\n", "null", "~", "{}", "\uFEFF"})
    void aFileThatSaysNothingGivesTheDefaults(String text) {
        assertThat(ScalingPolicyYaml.read(text, "p.yaml")).isEqualTo(ScalingPolicy.DEFAULT);
    }

    @Test
    @DisplayName("S-07 defaults, then the file, then explicit settings")
    void laysTheFileOverThePolicyBelow() {
        ScalingPolicy below = ScalingPolicy.DEFAULT.withSpot(
                ScalingPolicy.Spot.builder().minReplicas(2).maxReplicas(9).build());

        ScalingPolicy read = ScalingPolicyYaml.read(below, "spot: {max_replicas: 4}", "p.yaml");
        ScalingPolicy onTop =
                read.withSpot(read.spot().toBuilder().minReplicas(3).build());

        assertThat(read.spot().minReplicas()).isEqualTo(2);
        assertThat(read.spot().maxReplicas()).isEqualTo(4);
        assertThat(read.serverless()).isEqualTo(ScalingPolicy.DEFAULT.serverless());
        assertThat(onTop.spot().minReplicas()).isEqualTo(3);
        assertThat(onTop.spot().maxReplicas()).isEqualTo(4);
    }

    @Test
    @DisplayName("S-06, S-08 everything wrong is told at once, with file, line, key, value and what is allowed")
    void tellsEverythingThatIsWrongAtOnce() {
        assertThat(problems("""
                spot:
                  min_replica: 1
                  max_replicas: many
                  target_qps: 0
                  upscale_delay: -5
                servrless:
                  concurrency: 3
                serverless:
                  concurrency: 0
                  workers_min: 5
                  timeout: soon
                  timeout: 10
                  workers_max: 1
                extra: 1
                """))
                .containsExactly(
                        "p.yaml, line 2: unknown key 'spot.min_replica'; did you mean 'min_replicas' or 'max_replicas'? allowed are"
                                + " min_replicas, max_replicas, target_qps, target_tokens_per_second, upscale_delay, downscale_delay,"
                                + " keep_last, first_token_limit, on_demand",
                        "p.yaml, line 3: spot.max_replicas is 'many' but must be a whole number from 0 to 2147483647",
                        "p.yaml, line 4: spot.target_qps is '0' but must be a number above 0",
                        "p.yaml, line 5: spot.upscale_delay is '-5' but must be zero or longer",
                        "p.yaml, line 6: unknown key 'servrless'; did you mean 'serverless'? allowed are spot,"
                                + " serverless, budget",
                        "p.yaml, line 9: serverless.concurrency is '0' but must be 1 or more",
                        "p.yaml, line 10: serverless.workers_min is '5' but must be at most serverless.workers_max (1)",
                        "p.yaml, line 11: serverless.timeout is 'soon' but must be a duration such as 90s, 5m, 1h30m or"
                                + " 500ms, or a plain number of seconds",
                        "p.yaml, line 12: key serverless.timeout is there twice, first in line 11; remove one",
                        "p.yaml, line 14: unknown key 'extra'; allowed are spot, serverless, budget");
    }

    /** What docs/scaling-policy.md shows. */
    @Test
    void theDocumentedExampleGivesTheDocumentedErrors() throws IOException {
        String page = Files.readString(Path.of("..", "docs", "scaling-policy.md"));
        String example = page.substring(page.indexOf("spot:\n  min_replica:"), page.indexOf("```\n\nit says"));
        String errors = page.substring(page.indexOf("scaling.yaml, line 2"), page.indexOf("```\n\nAlso refused"));

        assertThat(catchThrowableOfType(
                                ConfigurationException.class, () -> ScalingPolicyYaml.read(example, "scaling.yaml"))
                        .problems())
                .containsExactlyElementsOf(errors.lines().toList());
    }

    @Test
    void theExceptionNamesTheFileAndTheCode() {
        assertThatThrownBy(() -> ScalingPolicyYaml.read("spots: {}", "p.yaml"))
                .isInstanceOfSatisfying(
                        ConfigurationException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST))
                .hasMessageStartingWith("scaling policy: p.yaml, line 1: ");
    }

    @Test
    void namesTheSectionThatAKeyBelongsTo() {
        assertThat(problems("spot: {workers_max: 2}\nmin_replicas: 1\n"))
                .containsExactly(
                        "p.yaml, line 1: unknown key 'spot.workers_max'; it belongs to the section serverless; allowed"
                                + " are min_replicas, max_replicas, target_qps, target_tokens_per_second, upscale_delay, downscale_delay,"
                                + " keep_last, first_token_limit, on_demand",
                        "p.yaml, line 2: unknown key 'min_replicas'; it belongs to the section spot; allowed are spot,"
                                + " serverless, budget");
    }

    @Test
    void aLimitOfThePolicyBelowIsToldAtTheKeyThatBreaksIt() {
        ScalingPolicy below = ScalingPolicy.DEFAULT.withSpot(
                ScalingPolicy.Spot.builder().minReplicas(3).build());

        assertThatThrownBy(() -> ScalingPolicyYaml.read(below, "spot:\n\n  max_replicas: 2\n", "p.yaml"))
                .hasMessage("scaling policy: p.yaml, line 3: spot.min_replicas is '3' but must be at most"
                        + " spot.max_replicas (2)");
    }

    @Test
    void aRefusedValueDoesNotMakeAnotherOneLookWrong() {
        assertThat(problems("spot:\n  min_replicas: 9\n  max_replicas: ten\n"))
                .singleElement(STRING)
                .contains("line 3", "'ten'");
    }

    static Stream<Arguments> wrongValues() {
        return Stream.of(
                Arguments.of("spot: {max_replicas: '5'}", "'5'"),
                Arguments.of("spot: {max_replicas: 5.0}", "'5.0'"),
                Arguments.of("spot: {max_replicas: 1_000}", "'1_000'"),
                Arguments.of("spot: {max_replicas: 010}", "'010'"),
                Arguments.of("spot: {max_replicas: 0x10}", "'0x10'"),
                Arguments.of("spot: {max_replicas: 1:30}", "'1:30'"),
                Arguments.of("spot: {max_replicas: 2147483648}", "'2147483648'"),
                Arguments.of("spot: {max_replicas: 99999999999999999999999}", "'99999999999999999999999'"),
                Arguments.of("spot: {max_replicas: true}", "'true'"),
                Arguments.of("spot: {max_replicas: }", "empty"),
                Arguments.of("spot: {max_replicas: [5]}", "a list"),
                Arguments.of("spot: {max_replicas: {n: 5}}", "a mapping"),
                Arguments.of("spot: {max_replicas: !count 5}", "'!count 5'"),
                Arguments.of("spot: {target_qps: .inf}", "'.inf'"),
                Arguments.of("spot: {target_qps: .nan}", "'.nan'"),
                Arguments.of("spot: {target_qps: 1e999}", "'1e999'"),
                Arguments.of("spot: {upscale_delay: 5 minutes}", "'5 minutes'"),
                Arguments.of("spot: {upscale_delay: 1:30}", "'1:30'"),
                Arguments.of("spot: {upscale_delay: 2026-01-01}", "'2026-01-01'"),
                Arguments.of("serverless: {timeout: 0s}", "'0s'"),
                Arguments.of("spot: 3", "'3'"),
                Arguments.of("spot:", "empty"),
                Arguments.of("spot: [min_replicas]", "a list"),
                Arguments.of("- spot", "a list"),
                Arguments.of("just words", "'just words'"),
                Arguments.of("? [a]\n: b", "a list"));
    }

    @ParameterizedTest
    @MethodSource("wrongValues")
    void refusesAWrongValueByName(String text, String shown) {
        assertThat(problems(text))
                .singleElement(STRING)
                .startsWith("p.yaml, line 1: ")
                .contains(" is " + shown, "must be ");
    }

    static Stream<Arguments> brokenTexts() {
        return Stream.of(
                Arguments.of("spot:\n  max_replicas: 1\n---\nspot: {}\n", "line 4: a second document begins here"),
                Arguments.of("spot:\n\tmax_replicas: 1\n", "line 2: not valid YAML"),
                Arguments.of("spot: {max_replicas: 1\n", "not valid YAML"),
                Arguments.of("spot: *nowhere\n", "not valid YAML"),
                Arguments.of("a: 1\nb: \u0000\n", "line 2: character U+0000 is not allowed"),
                Arguments.of("spot: !!javax.script.ScriptEngineManager [x]", "Global tag is not allowed"),
                Arguments.of("spot: !!java.util.HashMap {min_replicas: 1}", "Global tag is not allowed"),
                Arguments.of("[".repeat(5_000), "not valid YAML"),
                Arguments.of("#".repeat(YamlText.MOST_BYTES + 1), "longer than"));
    }

    @ParameterizedTest
    @MethodSource("brokenTexts")
    void refusesATextThatIsNotOneYamlDocument(String text, String finding) {
        assertThat(problems(text)).singleElement(STRING).startsWith("p.yaml").contains(finding);
    }

    @Test
    void aBillionLaughsCostNothing() {
        var text = new StringBuilder("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
        for (int i = 1; i <= 60; i++) {
            String earlier = "*a" + (i - 1) + ", ";
            text.append("a%d: &a%d [%s]\n".formatted(i, i, earlier.repeat(9)));
        }

        assertThat(problems(text.toString())).isNotEmpty().allMatch(problem -> problem.startsWith("p.yaml"));
        assertThat(problems("spot: &s {min_replicas: *s}\n"))
                .singleElement(STRING)
                .contains("spot.min_replicas is a mapping");
    }

    @Test
    void anAliasedSectionIsReadLikeAnyOther() {
        assertThat(ScalingPolicyYaml.read("spot: {upscale_delay: &t 7s, downscale_delay: *t}", "p.yaml")
                        .spot()
                        .downscaleDelay())
                .isEqualTo(Duration.ofSeconds(7));
    }

    @Test
    void whatIsWrittenReadsBackEqual() {
        long seed = new Random().nextLong();
        var random = new Random(seed);
        for (int i = 0; i < 500; i++) {
            ScalingPolicy policy = RandomRequests.scaling(random);

            assertThat(ScalingPolicyYaml.read(ScalingPolicyYaml.write(policy), "p.yaml"))
                    .as("seed %d, round %d", seed, i)
                    .isEqualTo(policy);
        }
    }

    @Test
    void writesForPeople() {
        assertThat(ScalingPolicyYaml.write(ScalingPolicy.DEFAULT)).isEqualTo("""
                spot:
                  min_replicas: 0
                  max_replicas: 5
                  target_qps: 10
                  upscale_delay: 5s
                  downscale_delay: 5m
                  keep_last: while_it_pays
                  on_demand: when_cheaper
                serverless:
                  concurrency: 32
                  scaledown_window: 1m
                  timeout: 10m
                  workers_min: 0
                  scaler_value: 4
                """);
    }

    @Nested
    class AFile {

        private void refuses(Path file, String finding) {
            assertThatThrownBy(() -> ScalingPolicyYaml.read(file))
                    .isInstanceOfSatisfying(
                            ConfigurationException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST))
                    .hasMessageContaining(file.toString())
                    .hasMessageContaining(finding);
        }

        @Test
        void isReadAsUtf8() throws IOException {
            Path file = Files.writeString(directory.resolve("p.yaml"), "# Größe\r\nspot:\r\n  max_replicas: 2\r\n");

            assertThat(ScalingPolicyYaml.read(file).spot().maxReplicas()).isEqualTo(2);
        }

        @Test
        void isNamedWithItsLineWhenItIsWrong() throws IOException {
            Path file = Files.writeString(directory.resolve("p.yaml"), "spot:\n  maxReplicas: 2\n");

            refuses(file, file + ", line 2: unknown key 'spot.maxReplicas'; did you mean 'max_replicas'");
        }

        @Test
        void mustExist() {
            refuses(directory.resolve("missing.yaml"), "does not exist");
        }

        @Test
        void mustNotBeADirectory() {
            refuses(directory, "cannot be read");
        }

        @Test
        void mustBeReadable() throws IOException {
            Path file = Files.writeString(directory.resolve("p.yaml"), "{}");
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("---------"));
            Assumptions.assumeFalse(Files.isReadable(file), "this user can read everything");

            refuses(file, "permission denied");
        }

        @Test
        void mustBeUtf8() throws IOException {
            refuses(Files.write(directory.resolve("l.yaml"), "# Größe".getBytes(StandardCharsets.ISO_8859_1)), "UTF-8");
            refuses(Files.write(directory.resolve("w.yaml"), "spot: {}".getBytes(StandardCharsets.UTF_16)), "UTF-8");
        }

        @Test
        void mustNotBeHuge() throws IOException {
            refuses(Files.write(directory.resolve("h.yaml"), new byte[YamlText.MOST_BYTES + 1]), "longer than");
        }
    }
}
