package dev.tuna.provider.runpod;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.sun.net.httpserver.Headers;
import dev.tuna.testkit.openapi.Conformance;
import dev.tuna.testkit.vendor.VendorExchange;
import dev.tuna.testkit.vendor.VendorRequest;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The check of what goes over the wire finds what is wrong with it. */
class ConformanceTest {

    private static final String WHOLE = """
            {"name":"a","type":"LOAD_BALANCER","image":"i","gpu":{"pools":["ADA_24"],"count":1},
             "scaling":{"type":"REQUEST_COUNT","requestCount":1}}""";

    static Stream<Arguments> violations() {
        return Stream.of(
                Arguments.of("no such operation", exchange("PUT", "/v2/serverless/ep1", "{}", 200, "{}")),
                Arguments.of(
                        "a field that RunPod does not know",
                        exchange("POST", "/v2/serverless", WHOLE.replace("\"image\"", "\"picture\""), 401, "{}")),
                Arguments.of(
                        "a number where a text must be",
                        exchange("PATCH", "/v2/serverless/ep1", "{\"env\":{\"PORT\":8000}}", 401, "{}")),
                Arguments.of(
                        "a scaler that is none",
                        exchange("POST", "/v2/serverless", WHOLE.replace("REQUEST_COUNT", "MAGIC"), 401, "{}")),
                Arguments.of(
                        "an answer without what it must have",
                        exchange("GET", "/v2/serverless/ep1", "", 200, "{\"id\":\"ep1\"}")),
                Arguments.of("an answer of no type", exchange("GET", "/v2/serverless", "", 200, "")),
                Arguments.of(
                        "a query that is not described",
                        exchange("GET", "/v2/serverless/ep1/workers/w1/logs", "", "lines=5", 404)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("violations")
    @DisplayName("a planted violation is found")
    void isFound(String what, VendorExchange exchange) throws Exception {
        Conformance conformance = Wire.conformance(List.of(exchange));
        assumeThat(conformance.skipped()).as("why nothing was checked").isEmpty();
        assertThat(conformance.checked()).isEqualTo(1);
        assertThat(conformance.violations()).as(what).isNotEmpty();
    }

    private static VendorExchange exchange(String method, String path, String body, int status, String answer) {
        return exchange(method, path, body, "", status, answer);
    }

    private static VendorExchange exchange(String method, String path, String body, String query, int status) {
        return exchange(method, path, body, query, status, "{}");
    }

    private static VendorExchange exchange(
            String method, String path, String body, String query, int status, String answer) {
        Headers headers = new Headers();
        headers.set("Content-Type", "application/json");
        String type = status < 400 ? "application/json" : "application/problem+json";
        return new VendorExchange(
                new VendorRequest(method, path, query, headers, body),
                status,
                answer.isEmpty() ? "" : type,
                answer,
                false);
    }
}
