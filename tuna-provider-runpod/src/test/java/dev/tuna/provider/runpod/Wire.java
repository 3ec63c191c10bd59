package dev.tuna.provider.runpod;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.testkit.openapi.Conformance;
import dev.tuna.testkit.runpod.RunPodStandIn;
import dev.tuna.testkit.vendor.VendorExchange;
import java.io.IOException;

/** What went over the wire between the provider and the stand-in. */
final class Wire {

    private static final String DOCUMENT = "runpod-rest-v2.openapi.json";

    private Wire() {}

    /** Every request and every answer of the control plane is as RunPod's own document says. */
    static void checkConformance(RunPodStandIn vendor) throws IOException {
        Conformance conformance = Conformance.of(DOCUMENT, vendor.exchanges(), Wire::isControlPlane);
        assertThat(conformance.violations()).as("violations of %s", DOCUMENT).isEmpty();
        assertThat(conformance.checked() > 0 || !conformance.skipped().isEmpty())
                .as("something was checked")
                .isTrue();
    }

    /** Not the GraphQL API and not what goes to workers. */
    private static boolean isControlPlane(VendorExchange exchange) {
        String path = exchange.request().path();
        return path.startsWith("/v2/serverless") || path.startsWith("/v2/catalog") || path.startsWith("/v2/billing");
    }
}
