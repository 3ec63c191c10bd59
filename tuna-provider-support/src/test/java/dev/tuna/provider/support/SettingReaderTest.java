package dev.tuna.provider.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.SecretRef;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SettingReaderTest {

    @Test
    void whatIsNotSaidIsTheDefault() {
        var reader = new SettingReader("acme", Map.of("region", "  "));
        assertThat(reader.text("region")).isEmpty();
        assertThat(reader.urlOr("api_url", "https://api.acme.example"))
                .isEqualTo(URI.create("https://api.acme.example"));
        assertThat(reader.secretOr("key_secret", "acme/key")).isEqualTo(new SecretRef("acme/key"));
        assertThat(reader.secret("other_secret")).isEmpty();
        assertThat(reader.seconds("interval", 10, 0, 9999)).isEqualTo(Duration.ofSeconds(10));
        reader.throwIfAny();
    }

    @Test
    void slashesAtTheEndOfAUrlAreDropped() {
        var reader = new SettingReader("acme", Map.of("api_url", "http://127.0.0.1:8080/base//"));
        assertThat(reader.url("api_url", "https://api.acme.example"))
                .hasValue(URI.create("http://127.0.0.1:8080/base"));
    }

    @Test
    void whatIsLeftBlankIsNeitherAUrlNorATime() {
        var reader = new SettingReader("acme", Map.of("api_url", "", "interval", "10000", "pause", ""));
        reader.urlOr("api_url", "https://api.acme.example");
        reader.seconds("interval", 10, 0, 9999);
        reader.seconds("pause", 10, 0, 9999);
        assertThatThrownBy(reader::throwIfAny)
                .hasMessageContaining("api_url is not a URL")
                .hasMessageContaining("interval is '10000' but must be a number of seconds, 0 to 9999")
                .hasMessageContaining("pause is ''");
    }

    @Test
    void everythingThatIsWrongIsToldAtOnceAndNothingThatMayBeASecretIsRepeated() {
        var reader = new SettingReader(
                "acme",
                Map.of(
                        "api_url", "ftp://user:pa55word@acme",
                        "key_secret", "sk pa55word!",
                        "interval", "0",
                        "team", "a b"));
        reader.urlOr("api_url", "https://api.acme.example");
        reader.secret("key_secret");
        reader.seconds("interval", 10, 1, 99_999);
        reader.matching("team", "[a-z]+", "the id of a team");
        assertThatThrownBy(reader::throwIfAny)
                .isInstanceOfSatisfying(
                        ConfigurationException.class,
                        e -> assertThat(e.problems())
                                .containsExactly(
                                        "api_url is not a URL such as https://api.acme.example",
                                        "key_secret must be the name of a secret, 1 to 128 characters of A-Z a-z 0-9 . _ / -",
                                        "interval is '0' but must be a number of seconds, 1 to 99999",
                                        "team is 'a b' but must be the id of a team"))
                .hasMessageContaining("settings of provider acme")
                .hasMessageNotContaining("pa55word");
    }
}
