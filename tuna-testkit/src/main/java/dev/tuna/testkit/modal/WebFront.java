package dev.tuna.testkit.modal;

import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorRequest;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Web addresses of functions: who is let in, how a request waits for a container, and where its answer is when that takes
 * too long. Thread-safe.
 */
final class WebFront {

    static final String PREFIX = "/w/";

    private static final String CALL = "__modal_function_call_id";

    private final Account account;
    private final Duration patience;
    private final boolean relativeLocation;
    private final HttpClient http = HttpClient.newHttpClient();
    private final Map<String, VendorRequest> waiting = new ConcurrentHashMap<>();

    WebFront(Account account, Duration patience, boolean relativeLocation) {
        this.account = account;
        this.patience = patience;
        this.relativeLocation = relativeLocation;
    }

    VendorAnswer handle(VendorRequest request) {
        try {
            return serve(request);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return text(500, "modal-http: internal error");
        } catch (IOException e) {
            return text(500, "modal-http: internal error: function was terminated by signal");
        }
    }

    private VendorAnswer serve(VendorRequest request) throws InterruptedException, IOException {
        String rest = request.path().startsWith(PREFIX) ? request.path().substring(PREFIX.length()) : "";
        int slash = rest.indexOf('/');
        String name = slash < 0 ? rest : rest.substring(0, slash);
        String path = slash < 0 ? "/" : rest.substring(slash);
        Optional<StandInApp> app = account.deployed(name);
        if (app.isEmpty()) {
            return text(404, "modal-http: invalid function call");
        }
        if (isGuarded(app.get()) && !isAdmitted(request)) {
            return text(401, "modal-http: missing credentials for proxy authorization");
        }
        Optional<String> call = request.parameter(CALL);
        if (call.isPresent()) {
            return result(app.get(), request, call.get());
        }
        StandInApp.Outcome outcome = app.get().lease(patience);
        if (outcome.lease().isPresent()) {
            StandInApp.Lease lease = outcome.lease().get();
            return VendorAnswer.relayed(URI.create(lease.engine() + path + query(request)))
                    .whenOver(lease.release());
        }
        if (outcome.ending() == StandInApp.Ending.PENDING) {
            String id = "fc-" + UUID.randomUUID().toString().replace("-", "");
            waiting.put(id, request);
            return elsewhere(request, id);
        }
        return lost(outcome.ending());
    }

    private VendorAnswer lost(StandInApp.Ending ending) {
        return ending == StandInApp.Ending.GONE
                ? text(404, "modal-http: invalid function call")
                : text(500, "modal-http: internal error: function was terminated by signal");
    }

    private static boolean isGuarded(StandInApp app) {
        var versions = app.versions();
        return versions.get(versions.size() - 1)
                .plan()
                .path("web_server")
                .path("requires_proxy_auth")
                .asBoolean();
    }

    /** Both headers, or one with both halves. */
    private boolean isAdmitted(VendorRequest request) {
        String[] bearer = request.bearer().orElse("").split("\\.", 2);
        return account.admits(
                        request.header("Modal-Key").orElse(""),
                        request.header("Modal-Secret").orElse(""))
                || (bearer.length == 2 && account.admits(bearer[0], bearer[1]));
    }

    private VendorAnswer elsewhere(VendorRequest request, String id) {
        String place = request.path() + "?" + CALL + "=" + id;
        String host = relativeLocation ? "" : "http://" + request.header("Host").orElse("127.0.0.1");
        return VendorAnswer.empty(303).with("Location", host + place);
    }

    /** Not as it comes: whether a stream passes through here unbuffered is not known. */
    private VendorAnswer result(StandInApp app, VendorRequest request, String id)
            throws InterruptedException, IOException {
        if (!request.method().equals("GET")) {
            return text(400, "modal-http: bad redirect method");
        }
        VendorRequest original = waiting.get(id);
        if (original == null) {
            return text(404, "modal-http: invalid function call");
        }
        StandInApp.Outcome outcome = app.lease(patience);
        if (outcome.lease().isEmpty()) {
            return outcome.ending() == StandInApp.Ending.PENDING ? elsewhere(request, id) : lost(outcome.ending());
        }
        StandInApp.Lease lease = outcome.lease().get();
        try {
            HttpResponse<String> answer = http.send(onward(lease.engine(), original), BodyHandlers.ofString());
            waiting.remove(id);
            return VendorAnswer.of(
                    answer.statusCode(),
                    answer.headers().firstValue("Content-Type").orElse(""),
                    answer.body());
        } finally {
            lease.release().run();
        }
    }

    private static HttpRequest onward(URI engine, VendorRequest original) {
        String rest = original.path().substring(PREFIX.length());
        int slash = rest.indexOf('/');
        HttpRequest.Builder onward = HttpRequest.newBuilder(
                        URI.create(engine + (slash < 0 ? "/" : rest.substring(slash)) + query(original)))
                .method(
                        original.method(),
                        original.body().isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(original.body()));
        for (String name : new String[] {"Content-Type", "Authorization"}) {
            original.header(name).ifPresent(value -> onward.header(name, value));
        }
        return onward.build();
    }

    private static String query(VendorRequest request) {
        return request.query().isEmpty() ? "" : "?" + request.query();
    }

    private static VendorAnswer text(int status, String body) {
        return VendorAnswer.of(status, "text/plain", body);
    }
}
