package dev.tuna.examples.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.router.RoutePolicy;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class RouterEnvironmentTest {

    private static RouterEnvironment of(Map<String, String> variables) {
        return new RouterEnvironment(variables, IllegalStateException::new);
    }

    @Test
    @DisplayName("E-01 backends and the token come from the environment")
    void backends() {
        RouterEnvironment environment = of(Map.of(
                "SERVERLESS_BASE_URL", "http://a:1",
                "SERVERLESS_AUTH_TOKEN", "t",
                "SKYSERVE_BASE_URL", "http://b:2"));
        assertThat(environment.serverless()).containsExactly(URI.create("http://a:1"));
        assertThat(environment.spot()).containsExactly(URI.create("http://b:2"));
        assertThat(environment.serverlessToken().orElseThrow().reveal()).isEqualTo("t");
    }

    @Test
    @DisplayName("E-02 E-06 where and how often replicas are asked for their health")
    void health() {
        RouterEnvironment environment =
                of(Map.of("SKYSERVE_POKE_PATH", "/ping", "WARMUP_POKE_INTERVAL_SECONDS", "0.5"));
        assertThat(environment.healthPath()).contains("/ping");
        assertThat(environment.healthEvery()).contains(Duration.ofMillis(500));
    }

    @Test
    @DisplayName("E-04 E-10 E-11 limits and port")
    void limits() {
        RouterEnvironment environment =
                of(Map.of("UPSTREAM_TIMEOUT_SECONDS", "210", "MAX_CONCURRENT_REQUESTS", "100", "PORT", "9000"));
        assertThat(environment.policy().deadline()).isEqualTo(Duration.ofSeconds(210));
        assertThat(environment.policy().maxInFlight()).isEqualTo(100);
        assertThat(environment.port()).isEqualTo(9000);
        assertThat(of(Map.of("LOG_LEVEL", "WARNING")).logLevel()).contains("warn");
        assertThat(of(Map.of("LOG_LEVEL", "debug")).logLevel()).contains("debug");
        assertThat(of(Map.of()).logLevel()).isEmpty();
        assertThat(of(Map.of()).policy()).isEqualTo(RoutePolicy.DEFAULT);
        assertThat(of(Map.of()).port()).isEqualTo(8080);
    }

    @Test
    @DisplayName("E-08 the key comes from the environment and is looked for in the usual headers")
    void key() {
        assertThat(of(Map.of("API_KEY", "sk-1", "API_KEY_HEADER", "X-API-Key")).apiKey())
                .isPresent();
        assertThatThrownBy(() -> of(Map.of("API_KEY", "sk-1", "API_KEY_HEADER", "x-other"))
                        .apiKey())
                .hasMessageContaining("x-other");
    }

    @ParameterizedTest
    @DisplayName("E-03 E-05 E-07 E-08 E-09 what has no counterpart is said to have no effect, with the reason")
    @CsvSource({
        "POKE_TIMEOUT_SECONDS",
        "IDLE_TIMEOUT_SECONDS",
        "WARMUP_TIMEOUT_SECONDS",
        "ROUTE_WINDOW_SIZE",
        "ALLOW_HEALTH_NO_AUTH"
    })
    void withoutEffect(String variable) {
        assertThat(of(Map.of(variable, "1")).withoutEffect())
                .singleElement()
                .asString()
                .startsWith(variable + " has no effect: ");
    }

    @ParameterizedTest
    @CsvSource({
        "PORT, eighty, PORT is 'eighty'",
        "LOG_LEVEL, loud, 'LOG_LEVEL is ''loud'' but must be one of trace'",
        "UPSTREAM_TIMEOUT_SECONDS, soon, UPSTREAM_TIMEOUT_SECONDS is 'soon'",
        "UPSTREAM_TIMEOUT_SECONDS, 0, above 0",
        "MAX_CONCURRENT_REQUESTS, 0, maxInFlight is '0'",
        "SERVERLESS_BASE_URL, 'http://a b', which is no URL"
    })
    void aWrongValueIsNamedInOneLine(String variable, String value, String named) {
        var errors = new StringWriter();
        var variables = new HashMap<>(Map.of("SKYSERVE_BASE_URL", "http://127.0.0.1:1"));
        variables.put(variable, value);
        int exitCode = new CommandLine(new RouterCommand(variables, CompletableFuture.completedFuture(null)))
                .setErr(new PrintWriter(errors))
                .execute();
        assertThat(exitCode).as(errors.toString()).isEqualTo(2);
        assertThat(errors.toString()).contains(named);
    }
}
