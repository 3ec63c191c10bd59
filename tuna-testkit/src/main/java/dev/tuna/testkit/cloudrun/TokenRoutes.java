package dev.tuna.testkit.cloudrun;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorRequest;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Where tokens come from: the OAuth endpoint, the metadata server, and impersonation. Thread-safe. */
final class TokenRoutes {

    static final String USER = "dev@example.com";
    static final String CLIENT_ID = "standin-client.apps.googleusercontent.com";
    static final String REFRESH_TOKEN = "1//standin-refresh-0123456789";

    static final String FOREIGN_TOKEN = "standin-foreign-token-0123456789";
    private static final String FOREIGNER = "principal://standin-pool/subject/ci";

    private static final String METADATA = "/computeMetadata/v1/instance/service-accounts/default/";

    private final Project project;

    TokenRoutes(Project project) {
        this.project = project;
    }

    /** {@code POST /token}: a signed assertion, or a person's refresh token. */
    VendorAnswer token(VendorRequest request) {
        Map<String, String> form = form(request.body());
        return switch (form.getOrDefault("grant_type", "")) {
            case "urn:ietf:params:oauth:grant-type:jwt-bearer" ->
                project.tokens()
                        .assertion(form.getOrDefault("assertion", ""))
                        .map(this::forAccount)
                        .orElseGet(() -> refused("invalid_grant", "Invalid JWT Signature."));
            case "refresh_token" ->
                form.getOrDefault("refresh_token", "").equals(REFRESH_TOKEN)
                        ? forPerson()
                        : refused("invalid_grant", "Token has been expired or revoked.");
            default -> refused("unsupported_grant_type", "Invalid grant_type.");
        };
    }

    private VendorAnswer forAccount(JsonNode claims) {
        String account = claims.path("iss").asText();
        if (!account.equals(project.account())) {
            return refused("invalid_grant", "Invalid grant: account not found");
        }
        ObjectNode answer = StandInService.JSON.createObjectNode();
        String audience = claims.path("target_audience").asText("");
        if (audience.isEmpty()) {
            return VendorAnswer.json(200, access(answer, account).toString());
        }
        answer.put("id_token", project.tokens().idToken(account, audience));
        return VendorAnswer.json(200, answer.toString());
    }

    private VendorAnswer forPerson() {
        ObjectNode answer = access(StandInService.JSON.createObjectNode(), USER);
        answer.put("id_token", project.tokens().idToken(USER, CLIENT_ID));
        return VendorAnswer.json(200, answer.toString());
    }

    private ObjectNode access(ObjectNode answer, String account) {
        return answer.put("access_token", project.tokens().accessToken(account))
                .put("expires_in", project.tokens().lifetimeSeconds())
                .put("token_type", "Bearer");
    }

    private static VendorAnswer refused(String error, String description) {
        ObjectNode answer = StandInService.JSON.createObjectNode();
        answer.put("error", error).put("error_description", description);
        return VendorAnswer.json(400, answer.toString());
    }

    /** The machine's own account, if this stands for a machine of Google's. */
    Optional<VendorAnswer> metadata(VendorRequest request) {
        if (!project.config().onGoogle
                || !request.path().startsWith(METADATA)
                || request.header("Metadata-Flavor").isEmpty()) {
            return Optional.empty();
        }
        String account = project.account();
        return switch (request.path().substring(METADATA.length())) {
            case "email" -> Optional.of(plain(account));
            case "token" ->
                Optional.of(flavored(VendorAnswer.json(
                        200,
                        access(StandInService.JSON.createObjectNode(), account).toString())));
            case "identity" ->
                request.parameter("audience")
                        .map(audience -> plain(project.tokens()
                                .idToken(account, URLDecoder.decode(audience, StandardCharsets.UTF_8))));
            default -> Optional.empty();
        };
    }

    private static VendorAnswer plain(String text) {
        return flavored(VendorAnswer.of(200, "application/text", text));
    }

    private static VendorAnswer flavored(VendorAnswer answer) {
        return answer.with("Metadata-Flavor", "Google");
    }

    /** {@code POST /v1/projects/-/serviceAccounts/EMAIL:generateIdToken} or {@code :generateAccessToken}. */
    VendorAnswer impersonate(String account, String verb, ObjectNode body) {
        if (!project.config().impersonable.contains(account)) {
            throw GoogleError.denied(
                    "Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource " + "(or it may not exist).");
        }
        ObjectNode answer = StandInService.JSON.createObjectNode();
        if (verb.equals("generateAccessToken")) {
            Instant end = project.config()
                    .clock
                    .instant()
                    .plusSeconds(project.tokens().lifetimeSeconds());
            answer.put("accessToken", project.tokens().accessToken(account));
            answer.put("expireTime", end.truncatedTo(ChronoUnit.SECONDS).toString());
        } else {
            answer.put(
                    "token",
                    project.tokens().idToken(account, body.path("audience").asText()));
        }
        return VendorAnswer.json(200, answer.toString());
    }

    /** {@code POST /v1/token} of the token service: a token of another cloud's for one of Google's. */
    VendorAnswer exchange(VendorRequest request) {
        if (!form(request.body()).getOrDefault("subject_token", "").equals(FOREIGN_TOKEN)) {
            return refused("invalid_grant", "The subject token is not valid.");
        }
        ObjectNode answer = access(StandInService.JSON.createObjectNode(), FOREIGNER);
        answer.put("issued_token_type", "urn:ietf:params:oauth:token-type:access_token");
        return VendorAnswer.json(200, answer.toString());
    }

    private static Map<String, String> form(String body) {
        Map<String, String> form = new HashMap<>();
        for (String pair : body.split("&")) {
            String[] parts = pair.split("=", 2);
            form.put(
                    URLDecoder.decode(parts[0], StandardCharsets.UTF_8),
                    parts.length > 1 ? URLDecoder.decode(parts[1], StandardCharsets.UTF_8) : "");
        }
        return form;
    }
}
