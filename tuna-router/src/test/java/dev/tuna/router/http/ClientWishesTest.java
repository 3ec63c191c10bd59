package dev.tuna.router.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tuna.api.Tier;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClientWishesTest {

    private static ClientWishes of(String... header) throws RefusedException {
        DefaultHttpHeaders headers = new DefaultHttpHeaders();
        for (int i = 0; i < header.length; i += 2) {
            headers.add(header[i], header[i + 1]);
        }
        return ClientWishes.of(headers);
    }

    @Test
    void whoSaysNothingWantsTheUsual() throws Exception {
        ClientWishes usual = of();
        assertThat(usual.failover()).isTrue();
        assertThat(usual.tier()).isEmpty();
        assertThat(usual.retry()).isFalse();
        assertThat(usual.patience()).isEmpty();
        assertThat(usual.allows(Tier.SPOT)).isTrue();
    }

    @Test
    @DisplayName("R18 switches of one request")
    void switches() throws Exception {
        assertThat(of("X-Tuna-Failover", "off").failover()).isFalse();
        assertThat(of("x-tuna-failover", "ON").failover()).isTrue();
        assertThat(of("x-tuna-continuation", "OFF").continuation()).isFalse();
        assertThat(of("x-tuna-failover", "off").continuation()).isFalse();
        assertThat(of().continuation()).isTrue();
        ClientWishes pinned = of("x-tuna-tier", "on_demand");
        assertThat(pinned.allows(Tier.ON_DEMAND)).isTrue();
        assertThat(pinned.allows(Tier.SPOT)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "x-tuna-failover, maybe, 'on, off'",
        "x-tuna-continuation, maybe, 'on, off'",
        "x-tuna-tier, gpu, serverless"
    })
    void aSwitchThatIsNoneIsRefused(String name, String value, String allowed) {
        RefusedException refused = catchThrowableOfType(RefusedException.class, () -> of(name, value));
        assertThat(refused.error().status()).isEqualTo(400);
        assertThat(refused.error().message()).contains(name).contains(allowed);
        assertThat(refused.error().param()).hasValue(name);
    }

    @ParameterizedTest
    @CsvSource({
        "x-stainless-read-timeout, 600, 570000",
        "x-stainless-timeout, 10, 9500",
        "x-stainless-timeout, 0.2, 190"
    })
    @DisplayName("R13 how long the client waits, less something for the way")
    void patience(String name, String value, long millis) throws Exception {
        assertThat(of(name, value).patience()).hasValue(Duration.ofMillis(millis));
    }

    @ParameterizedTest
    @CsvSource({"NOT_GIVEN", "-1", "NaN", "Infinity", "0", "1e300"})
    void aTimeoutThatIsNoneIsNotMeantForUs(String value) throws Exception {
        assertThat(of("x-stainless-read-timeout", value).patience()).isEmpty();
    }

    @Test
    @DisplayName("R13 a request that is sent again says so")
    void retries() throws Exception {
        assertThat(of("x-stainless-retry-count", "0").retry()).isFalse();
        assertThat(of("x-stainless-retry-count", "2").retry()).isTrue();
    }
}
