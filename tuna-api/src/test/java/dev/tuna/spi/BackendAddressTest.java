package dev.tuna.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.Secret;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class BackendAddressTest {

    private static final UnservedAnswer COLD = new UnservedAnswer(400, "no workers", Duration.ofSeconds(5));

    private final BackendAddress plain = BackendAddress.of(URI.create("https://gpu.example"));

    @Test
    void itsAnswersMeanWhatTheirStatusSaysUnlessSomethingElseIsSaid() {
        assertThat(plain.unserved()).isEmpty();
        assertThat(plain.withUnserved(List.of(COLD)).unserved()).containsExactly(COLD);
    }

    @Test
    void aCredentialIsAddedToWhatIsThere() {
        Credential key = Credential.bearer(Secret.of("k"));
        assertThat(plain.withUnserved(List.of(COLD)).withCredential(key))
                .isEqualTo(new BackendAddress(plain.url(), Optional.of(key), "/health", plain.hardLimit(), 0)
                        .withUnserved(List.of(COLD)));
    }

    @Test
    void anUnservedAnswerHasTheStatusAndTheTextInAnyCase() {
        assertThat(COLD.matches(400, "{\"error\":\"No workers available\"}")).isTrue();
        assertThat(COLD.matches(400, "{\"error\":\"max_tokens is too high\"}")).isFalse();
        assertThat(COLD.matches(500, "no workers available")).isFalse();
    }

    @Test
    void anUnservedAnswerNeedsAStatusATextAndATimeThatCanBeWaited() {
        assertThatThrownBy(() -> new UnservedAnswer(0, "x", Duration.ZERO)).hasMessageContaining("0");
        assertThatThrownBy(() -> new UnservedAnswer(400, " ", Duration.ZERO)).hasMessageContaining("blank");
        assertThatThrownBy(() -> new UnservedAnswer(400, "x", Duration.ofSeconds(-1)))
                .hasMessageContaining("PT-1S");
    }
}
