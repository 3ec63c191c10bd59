package dev.tuna.provider.cloudrun;

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

/** The check of what goes over the wire against Google's discovery documents finds what is wrong. */
class ConformanceTest {

    private static final String SERVICES = "/v2/projects/p/locations/us-east4/services";

    static Stream<Arguments> violations() {
        return Stream.of(
                Arguments.of("no such method", "run-v2.json", exchange("PUT", SERVICES, "", "{}", 200, "{}")),
                Arguments.of(
                        "a field that Google does not know",
                        "run-v2.json",
                        exchange("POST", SERVICES, "serviceId=a", "{\"template\":{\"gpu\":1}}", 200, "{}")),
                Arguments.of(
                        "a field that only Google sets",
                        "run-v2.json",
                        exchange("POST", SERVICES, "serviceId=a", "{\"uri\":\"https://x\"}", 200, "{}")),
                Arguments.of(
                        "a text where a number must be",
                        "run-v2.json",
                        exchange(
                                "POST",
                                SERVICES,
                                "serviceId=a",
                                "{\"template\":{\"maxInstanceRequestConcurrency\":\"8\"}}",
                                200,
                                "{}")),
                Arguments.of(
                        "a duration that is none",
                        "run-v2.json",
                        exchange("POST", SERVICES, "serviceId=a", "{\"template\":{\"timeout\":\"1h\"}}", 200, "{}")),
                Arguments.of(
                        "a value that is not of its list",
                        "run-v2.json",
                        exchange("PATCH", SERVICES + "/a", "", "{\"ingress\":\"EVERYBODY\"}", 200, "{}")),
                Arguments.of(
                        "a parameter that is not described",
                        "run-v2.json",
                        exchange("GET", SERVICES, "limit=5", "", 200, "{}")),
                Arguments.of(
                        "a large number that is no text",
                        "run-v2.json",
                        exchange("GET", SERVICES + "/a", "", "", 200, "{\"generation\":1}")),
                Arguments.of(
                        "an error that is not in Google's form",
                        "run-v2.json",
                        exchange("GET", SERVICES + "/a", "", "", 404, "{\"message\":\"gone\"}")),
                Arguments.of(
                        "a body of another API",
                        "serviceusage-v1.json",
                        exchange("POST", "/v1/projects/p/services:batchEnable", "", "{\"names\":[]}", 200, "{}")),
                Arguments.of(
                        "an answer of another API",
                        "cloudbilling-v1.json",
                        exchange("GET", "/v1/projects/p/billingInfo", "", "", 200, "{\"state\":\"ACTIVE\"}")),
                Arguments.of(
                        "a state that is none",
                        "cloudresourcemanager-v3.json",
                        exchange("GET", "/v3/projects/p", "", "", 200, "{\"state\":\"ASLEEP\"}")),
                Arguments.of(
                        "an audience that is a list",
                        "iamcredentials-v1.json",
                        exchange(
                                "POST",
                                "/v1/projects/-/serviceAccounts/a@b:generateIdToken",
                                "",
                                "{\"audience\":[]}",
                                200,
                                "{\"token\":\"x\"}")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("violations")
    @DisplayName("a planted violation is found")
    void isFound(String what, String document, VendorExchange exchange) throws Exception {
        Conformance conformance = Conformance.of(document, List.of(exchange), any -> true);
        assumeThat(conformance.skipped()).as("why nothing was checked").isEmpty();
        assertThat(conformance.checked()).isEqualTo(1);
        assertThat(conformance.violations()).as(what).isNotEmpty();
    }

    private static VendorExchange exchange(
            String method, String path, String query, String body, int status, String answer) {
        Headers headers = new Headers();
        headers.set("Content-Type", "application/json");
        return new VendorExchange(
                new VendorRequest(method, path, query, headers, body), status, "application/json", answer, false);
    }
}
