package dev.tuna.provider.baseten;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.testkit.openapi.Conformance;
import dev.tuna.testkit.vendor.VendorExchange;
import dev.tuna.testkit.vendor.VendorRequest;
import java.io.IOException;
import java.util.List;
import java.util.function.Predicate;

/** What went over the wire between the provider and the stand-in. */
final class Wire {

    static final String MANAGEMENT = "baseten-management.openapi.json";
    static final String INFERENCE = "baseten-inference.openapi.json";

    private Wire() {}

    /** Every request and every answer that Baseten's own documents describe is as they say. */
    static void checkConformance(List<VendorExchange> exchanges) throws IOException {
        Conformance management =
                check(MANAGEMENT, exchanges, exchange -> path(exchange).startsWith("/v1/"));
        check(INFERENCE, atTheModel(exchanges), exchange -> path(exchange).endsWith("_status"));
        assertThat(management.checked() > 0 || !management.skipped().isEmpty())
                .as("something was checked")
                .isTrue();
    }

    private static Conformance check(
            String document, List<VendorExchange> exchanges, Predicate<VendorExchange> described) throws IOException {
        Conformance conformance =
                Conformance.of(document, exchanges.stream().map(Wire::described).toList(), described);
        assertThat(conformance.violations()).as("violations of %s", document).isEmpty();
        return conformance;
    }

    /** The management document describes no error: of a refused request only the question is checked. */
    static VendorExchange described(VendorExchange exchange) {
        return exchange.status() < 400
                ? exchange
                : new VendorExchange(exchange.request(), 0, "", "", exchange.faulty());
    }

    /** A model has a host of its own, which the stand-in has as the first part of the path. */
    private static List<VendorExchange> atTheModel(List<VendorExchange> exchanges) {
        return exchanges.stream()
                .filter(exchange -> path(exchange).startsWith("/model-"))
                .map(exchange -> new VendorExchange(
                        new VendorRequest(
                                exchange.request().method(),
                                path(exchange).replaceFirst("^/model-[^/]+", ""),
                                exchange.request().query(),
                                exchange.request().headers(),
                                exchange.request().body()),
                        exchange.status(),
                        exchange.contentType(),
                        exchange.body(),
                        exchange.faulty()))
                .toList();
    }

    private static String path(VendorExchange exchange) {
        return exchange.request().path();
    }
}
