package dev.tuna.testkit.cloudrun;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorRequest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Google's hosts on one port, as a function from request to answer. Thread-safe. */
final class GoogleRoutes {

    private static final String IMPERSONATE = "/v1/projects/-/serviceAccounts/";

    /** Hugging Face, which tells how large a model is, has a place here too. */
    static final String HUB = "/hub";

    private static final Pattern SIZE = Pattern.compile("-(\\d{1,4})[bB](?:[^a-zA-Z]|$)");

    private final Project project;
    private final TokenRoutes tokens;
    private final ProjectRoutes projects;
    private final RunRoutes run;

    GoogleRoutes(Project project) {
        this.project = project;
        this.tokens = new TokenRoutes(project);
        this.projects = new ProjectRoutes(project);
        this.run = new RunRoutes(project);
    }

    VendorAnswer handle(VendorRequest request) {
        try {
            return route(request);
        } catch (GoogleError e) {
            return e.answer();
        }
    }

    private VendorAnswer route(VendorRequest request) {
        String path = request.path();
        if (path.startsWith("/computeMetadata")) {
            return tokens.metadata(request).orElseGet(() -> VendorAnswer.empty(404));
        }
        if (path.startsWith(HUB)) {
            return hub(path);
        }
        if (path.equals("/v1/token")) {
            return tokens.exchange(request);
        }
        if (path.equals("/token")) {
            return tokens.token(request);
        }
        String caller = caller(request);
        String api = api(path);
        // What tells whether an API is enabled must be; the check is by name, as Google's is.
        if (project.isDisabled(api)) {
            throw GoogleError.disabled(api, Project.NUMBER);
        }
        return switch (api) {
            case "run.googleapis.com" -> run.handle(request, caller);
            case "iamcredentials.googleapis.com" ->
                tokens.impersonate(
                        path.substring(IMPERSONATE.length(), path.indexOf(':')),
                        path.substring(path.indexOf(':') + 1),
                        body(request));
            default -> projects.handle(request, api);
        };
    }

    /** Models with a size in their name have it in billions of 16-bit numbers; others are not known. */
    private static VendorAnswer hub(String path) {
        Matcher size = SIZE.matcher(path);
        if (!size.find()) {
            return VendorAnswer.json(404, "{\"error\":\"Repository not found\"}");
        }
        ObjectNode answer = StandInService.JSON.createObjectNode();
        answer.putObject("safetensors")
                .putObject("parameters")
                .put("BF16", Long.parseLong(size.group(1)) * 1_000_000_000L);
        return VendorAnswer.json(200, answer.toString());
    }

    private String caller(VendorRequest request) {
        String token = request.bearer().orElseThrow(() -> GoogleError.unauthenticated("CREDENTIALS_MISSING"));
        return project.tokens()
                .accessAccount(token)
                .orElseThrow(() -> GoogleError.unauthenticated(
                        project.tokens().idClaims(token).isPresent()
                                ? "ACCESS_TOKEN_TYPE_UNSUPPORTED"
                                : "ACCESS_TOKEN_EXPIRED"));
    }

    private static String api(String path) {
        if (path.equals("/v2/entries:list")) {
            return "logging.googleapis.com";
        }
        if (path.startsWith("/v2/")) {
            return "run.googleapis.com";
        }
        if (path.startsWith(IMPERSONATE)) {
            return "iamcredentials.googleapis.com";
        }
        if (path.contains("/quotaInfos/")) {
            return "cloudquotas.googleapis.com";
        }
        if (path.endsWith("/timeSeries")) {
            return "monitoring.googleapis.com";
        }
        if (path.startsWith("/v3/")) {
            return "cloudresourcemanager.googleapis.com";
        }
        return path.endsWith("/billingInfo") || path.endsWith("/skus")
                ? "cloudbilling.googleapis.com"
                : "serviceusage.googleapis.com";
    }

    static ObjectNode body(VendorRequest request) {
        try {
            if (StandInService.JSON.readTree(request.body()) instanceof ObjectNode object) {
                return object;
            }
        } catch (JacksonException e) {
            // Told below.
        }
        throw GoogleError.invalid("Invalid JSON payload received.");
    }
}
