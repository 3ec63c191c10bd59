package dev.tuna.provider.runpod;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.testkit.openapi.Conformance;
import dev.tuna.testkit.runpod.RunPodStandIn;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorExchange;
import java.io.IOException;
import java.util.List;

/** What went over the wire between the provider and the stand-in. */
final class Wire {

    private static final String DOCUMENT = "runpod-rest-v2.openapi.json";

    private Wire() {}

    /** Every request and every answer of the control plane is as RunPod's own document says. */
    static void checkConformance(RunPodStandIn vendor) throws IOException {
        Conformance conformance = conformance(vendor.exchanges());
        assertThat(conformance.violations()).as("violations of %s", DOCUMENT).isEmpty();
        assertThat(conformance.checked() > 0
                        || !conformance.skipped().isEmpty()
                        || vendor.exchanges().isEmpty())
                .as("something was checked")
                .isTrue();
    }

    static Conformance conformance(List<VendorExchange> exchanges) throws IOException {
        return Conformance.of(
                DOCUMENT, exchanges.stream().map(Wire::withoutFault).toList(), Wire::isControlPlane);
    }

    /** What a test has put in the place of an answer need not be as the document says; the request must. */
    private static VendorExchange withoutFault(VendorExchange exchange) {
        return exchange.faulty() ? new VendorExchange(exchange.request(), 0, "", "", true) : exchange;
    }

    /** Not the GraphQL API and not what goes to workers. */
    private static boolean isControlPlane(VendorExchange exchange) {
        String path = exchange.request().path();
        return path.startsWith("/v2/serverless") || path.startsWith("/v2/catalog") || path.startsWith("/v2/billing");
    }

    /** An error as RunPod words it. */
    static VendorAnswer problem(int status, String detail) {
        return VendorAnswer.of(
                status,
                "application/problem+json",
                "{\"title\":\"Error\",\"status\":" + status + ",\"detail\":\"" + detail + "\"}");
    }
}
