package dev.tuna.router.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OpenAiErrorTest {

    @Test
    @DisplayName("R-09 R-10 an error is an object that OpenAI's clients understand")
    void isAnOpenAiErrorObject() {
        assertThat(text(OpenAiError.badField("n", "invalid_n", "say \"1\"\n").json()))
                .isEqualTo(
                        "{\"error\":{\"message\":\"say \\\"1\\\"\\n\",\"type\":\"invalid_request_error\",\"param\":\"n\",\"code\":\"invalid_n\"}}");
        assertThat(text(OpenAiError.tooManyRequests(7).json()))
                .contains("\"param\":null", "\"type\":\"rate_limit_error\"");
    }

    @Test
    void isAnEventOnceTheStreamHasBegun() {
        assertThat(text(OpenAiError.streamBroken().sseEvent()))
                .startsWith("data: {\"error\":{")
                .endsWith("}}\n\n")
                .doesNotContain("[DONE]");
    }

    @Test
    void overloadSaysWhenToComeBack() {
        assertThat(List.of(
                        OpenAiError.tooManyRequests(1),
                        OpenAiError.backendsFull(),
                        OpenAiError.waitingRoomFull(1),
                        OpenAiError.noBackendInTime(Duration.ofMinutes(1)),
                        OpenAiError.backendsResting(Duration.ZERO),
                        OpenAiError.closing()))
                .allSatisfy(error -> assertThat(error.retryAfter().getAsLong()).isPositive());
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "1, 1", "1000, 1", "1001, 2", "2999, 3"})
    void roundsTheRestUp(long millis, long seconds) {
        assertThat(OpenAiError.closing().after(Duration.ofMillis(millis)).retryAfter())
                .hasValue(seconds);
    }

    @Test
    void quotesNoMoreThanNeeded() {
        assertThat(OpenAiError.unknownModel("m".repeat(5000), List.of("a", "b")).message())
                .hasSizeLessThan(300)
                .contains("a, b");
    }

    private static String text(byte[] json) {
        return new String(json, StandardCharsets.UTF_8);
    }
}
