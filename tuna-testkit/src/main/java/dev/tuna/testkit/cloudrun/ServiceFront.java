package dev.tuna.testkit.cloudrun;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorRequest;
import java.net.URI;
import java.util.Optional;

/** What stands before a service's instances: Google's front end, which answers in HTML when it refuses. Thread-safe. */
final class ServiceFront {

    private final Project project;
    private final StandInService service;

    ServiceFront(Project project, StandInService service) {
        this.project = project;
        this.service = service;
    }

    VendorAnswer handle(VendorRequest request) {
        if (!service.isOpenToAll()) {
            Optional<VendorAnswer> refusal = refusal(request);
            if (refusal.isPresent()) {
                return refusal.get();
            }
        }
        try {
            String query = request.query().isEmpty() ? "" : "?" + request.query();
            return service.lease()
                    .map(lease -> VendorAnswer.relayed(URI.create(lease.server() + request.path() + query))
                            .whenOver(lease.release()))
                    .orElseGet(() -> html(
                            429, "Rate exceeded. The request was aborted because there was no available instance."));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return html(503, "shutting down");
        }
    }

    private Optional<VendorAnswer> refusal(VendorRequest request) {
        String header = request.header("X-Serverless-Authorization")
                .or(() -> request.header("Authorization"))
                .orElse("");
        if (!header.startsWith("Bearer ")) {
            return Optional.of(
                    html(403, "Your client does not have permission to get URL <code>/</code> from this server."));
        }
        Optional<JsonNode> claims =
                project.tokens().idClaims(header.substring("Bearer ".length()).strip());
        if (claims.isEmpty() || !claims.get().path("aud").asText().equals(service.uri())) {
            return Optional.of(html(
                    401,
                    "The request was not authorized to invoke this service. The access token could not be verified."));
        }
        return service.mayInvoke(claims.get().path("email").asText())
                ? Optional.empty()
                : Optional.of(
                        html(403, "Your client does not have permission to get URL <code>/</code> from this server."));
    }

    private static VendorAnswer html(int status, String text) {
        return VendorAnswer.of(
                status,
                "text/html; charset=UTF-8",
                "<html><head><title>" + status + "</title></head><body>" + text + "</body></html>");
    }
}
