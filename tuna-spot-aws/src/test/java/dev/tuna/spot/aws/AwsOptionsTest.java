package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.ConfigurationException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AwsOptionsTest {

    private static AwsOptions of(Map<String, String> request) {
        return AwsOptions.of(Map.of(), request);
    }

    @Test
    void nothingNeedsToBeSaid() {
        AwsOptions options = of(Map.of());
        assertThat(options.regions()).containsExactly("us-east-1", "us-east-2", "us-west-2");
        assertThat(options.ingress()).isEqualTo("host");
        assertThat(options.keyName()).isEmpty();
        assertThat(options.port()).isEqualTo(8443);
        assertThat(options.imageParameters()).hasSize(3).allMatch(name -> name.startsWith("/aws/service/deeplearning"));
        assertThat(options.allowsType("g6.xlarge")).isTrue();
    }

    @Test
    void aRequestWinsOverTheInstallation() {
        AwsOptions options = AwsOptions.of(
                Map.of("regions", "eu-west-1", "volume_gb", "300"), Map.of("regions", "eu-north-1, us-gov-west-1"));
        assertThat(options.regions()).containsExactly("eu-north-1", "us-gov-west-1");
        assertThat(options.volumeGb()).isEqualTo(300);
    }

    @Test
    void typesAreChosenByPattern() {
        AwsOptions options = of(Map.of("instance_types", "g6.xlarge, g5.*"));
        assertThat(options.allowsType("g6.xlarge")).isTrue();
        assertThat(options.allowsType("g5.12xlarge")).isTrue();
        assertThat(options.allowsType("g6.2xlarge")).isFalse();
        assertThat(options.allowsType("g5g.xlarge")).isFalse();
    }

    @Test
    void imagesAreByRegion() {
        assertThat(of(Map.of("ami", "ami-1")).image("us-east-1")).contains("ami-1");
        AwsOptions two = of(Map.of("ami", "us-east-1=ami-1,us-west-2=ami-2"));
        assertThat(two.image("us-west-2")).contains("ami-2");
        assertThat(two.image("us-east-2")).isEmpty();
    }

    @ParameterizedTest(name = "{0}={1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "regions|Virginia",
                "zones|us-east-1",
                "instance_types|g6 xlarge",
                "price_spread|0.5",
                "ami|image",
                "ami|nowhere=ami-1",
                "ami_parameters|latest",
                "vpc|main",
                "subnets|subnet",
                "instance_profile|a b",
                "ingress|everybody",
                "ingress|0.0.0.0/0",
                "ingress|host,10.0.0.0/8",
                "volume_gb|20",
                "volume_iops|100",
                "volume_throughput|2000",
                "model_cache|bucket",
                "port|0",
                "endpoint|http://127.0.0.1:1",
                "spot_price|0.1"
            })
    void whatCannotBeHonouredIsRefusedByName(String key, String value) {
        assertThatThrownBy(() -> of(Map.of(key, value)))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining(key);
    }

    @Test
    void everyProblemIsToldAtOnce() {
        assertThatThrownBy(() -> of(Map.of("port", "x", "ami", "y", "what", "z")))
                .isInstanceOfSatisfying(
                        ConfigurationException.class,
                        e -> assertThat(e.problems()).hasSize(3));
    }

    @Test
    void settingsOfTheInstallationAreChecked() {
        assertThat(AwsSettings.of(Map.of()).ingressUrl()).hasToString("https://checkip.amazonaws.com");
        assertThatThrownBy(() -> AwsSettings.of(
                        Map.of("endpoint", "here", "credentials_secret", "what ever", "ingress_url", "ftp://x")))
                .isInstanceOfSatisfying(
                        ConfigurationException.class,
                        e -> assertThat(e.problems()).hasSize(3));
        assertThatThrownBy(() -> AwsSettings.of(Map.of("profile", "a", "credentials_secret", "b")))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("set one of them");
    }
}
