package dev.tuna.provider.cloudrun;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.testkit.cloudrun.CloudRunStandIn;
import dev.tuna.testkit.openapi.Conformance;
import dev.tuna.testkit.vendor.VendorExchange;
import java.io.IOException;
import java.util.Collection;
import java.util.Map;
import java.util.function.Predicate;

/** What went over the wire between the provider and the stand-in. */
final class Wire {

    /** Google's documents and the paths that each is about; the APIs of quotas, metrics and logs have none here. */
    static final Map<String, Predicate<String>> DOCUMENTS = Map.of(
            "run-v2.json", path -> path.startsWith("/v2/projects/"),
            "cloudresourcemanager-v3.json", path -> path.startsWith("/v3/") && !path.endsWith("/timeSeries"),
            "iamcredentials-v1.json", path -> path.startsWith("/v1/projects/-/serviceAccounts/"),
            "cloudbilling-v1.json", path -> path.endsWith("/billingInfo") || path.endsWith("/skus"),
            "serviceusage-v1.json", path -> path.contains("/services:batch"));

    private Wire() {}

    /** Every request and every answer is as Google's own documents say. */
    static int checkConformance(CloudRunStandIn vendor) throws IOException {
        return checkConformance(vendor.exchanges());
    }

    static int checkConformance(Collection<VendorExchange> exchanges) throws IOException {
        int checked = 0;
        for (Map.Entry<String, Predicate<String>> document : DOCUMENTS.entrySet()) {
            Conformance conformance = Conformance.of(
                    document.getKey(),
                    exchanges,
                    exchange -> document.getValue().test(exchange.request().path()));
            assertThat(conformance.violations())
                    .as("violations of %s", document.getKey())
                    .isEmpty();
            checked += conformance.skipped().isEmpty() ? conformance.checked() : 1;
        }
        assertThat(checked).as("exchanges checked").isPositive();
        return checked;
    }
}
