package dev.tuna.core.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DurationTextTest {

    @ParameterizedTest
    @CsvSource({
        "90s, PT1M30S",
        "5m, PT5M",
        "1h30m, PT1H30M",
        "2h0m1s500ms, PT2H1.5S",
        "500ms, PT0.5S",
        "1.5m, PT1M30S",
        "0s, PT0S",
        "90, PT1M30S",
        "0.25, PT0.25S",
        "+3, PT3S",
        "-3, PT-3S",
        "0.0000001ms, PT0S"
    })
    void reads(String text, String duration) {
        assertThat(DurationText.parse(text)).contains(Duration.parse(duration));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "s",
                "5 m",
                " 5m",
                "5M",
                "5min",
                "5d",
                "1m1h",
                "5s5s",
                "-5s",
                "1e3",
                "PT5S",
                "1:30",
                "0x5",
                "5.",
                ".5",
                "1,5",
                "1234567890123",
                "\u0665s",
                "5m\n"
            })
    void refuses(String text) {
        assertThat(DurationText.parse(text)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"PT0S, 0s", "PT5M, 5m", "PT1H30M, 1h30m", "PT0.5S, 0.5s", "PT26H3.000000001S, 26h3.000000001s"})
    void writes(String duration, String text) {
        assertThat(DurationText.format(Duration.parse(duration))).isEqualTo(text);
    }

    @Test
    void whatIsWrittenReadsBackEqual() {
        long seed = new Random().nextLong();
        var random = new Random(seed);
        for (int i = 0; i < 2_000; i++) {
            Duration duration =
                    Duration.ofSeconds(random.nextInt(), random.nextBoolean() ? 0 : random.nextInt(1_000_000_000));
            assertThat(DurationText.parse(DurationText.format(duration)))
                    .as("seed %d, %s", seed, duration)
                    .contains(duration);
        }
    }
}
