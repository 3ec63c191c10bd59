package dev.tuna.router.admin;

import static dev.tuna.router.admin.Labels.lower;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.api.SpotState;
import dev.tuna.api.Tier;
import dev.tuna.router.BackendLoad;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.admin.RouterControl.RouteStatus;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.stream.Stream;

/** {@code /router/health}: what each deployment can do and has done. Names no backend unless told to. */
final class HealthPage {

    private static final JsonFactory JSON = new JsonFactory();

    private final JsonGenerator json;
    private final boolean backends;

    private HealthPage(JsonGenerator json, boolean backends) {
        this.json = json;
        this.backends = backends;
    }

    static String of(List<RouteStatus> routes, boolean backends) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text)) {
            new HealthPage(json, backends).write(routes);
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return text.toString();
    }

    private void write(List<RouteStatus> routes) throws IOException {
        json.writeStartObject();
        if (routes.size() == 1) {
            writeStates(routes.get(0));
        }
        json.writeObjectFieldStart("deployments");
        for (RouteStatus route : routes) {
            json.writeObjectFieldStart(route.route().deployment());
            json.writeArrayFieldStart("models");
            for (String model : route.route().models()) {
                json.writeString(model);
            }
            json.writeEndArray();
            writeStates(route);
            if (backends) {
                writeBackends(route);
            }
            json.writeEndObject();
        }
        json.writeEndObject();
        json.writeEndObject();
    }

    private void writeStates(RouteStatus route) throws IOException {
        SpotState state = route.load().spotState();
        json.writeBooleanField("skyserve_ready", state == SpotState.READY);
        json.writeStringField("spot_state", lower(state));
        json.writeNumberField("replicas", route.route().replicas().size());
        json.writeNumberField("replicas_warming", route.route().warming());
        json.writeNumberField("serverless_endpoints", route.route().serverless().size());
        writeStats(route.load().traffic());
    }

    private void writeStats(TrafficStats traffic) throws IOException {
        json.writeObjectFieldStart("route_stats");
        json.writeNumberField("total", traffic.requests());
        for (Tier tier : Tier.values()) {
            json.writeNumberField(lower(tier), traffic.byTier().getOrDefault(tier, 0L));
        }
        json.writeNumberField("succeeded", traffic.succeeded());
        json.writeNumberField("failed", traffic.failed());
        json.writeNumberField("rejected", traffic.rejected());
        json.writeNumberField("client_errors", traffic.clientErrors());
        json.writeNumberField("failed_over", traffic.failedOver());
        json.writeNumberField("in_flight", traffic.inFlight());
        json.writeNumberField("waiting", traffic.waiting());
        json.writeEndObject();
    }

    private void writeBackends(RouteStatus route) throws IOException {
        json.writeArrayFieldStart("backends");
        List<RouteBackend> all = Stream.concat(route.route().serverless().stream(), route.route().replicas().stream())
                .toList();
        for (RouteBackend backend : all) {
            BackendLoad load = route.load().backend(backend.id());
            json.writeStartObject();
            json.writeStringField("id", backend.id());
            json.writeStringField("tier", lower(backend.tier()));
            json.writeStringField("url", backend.address().url().toString());
            json.writeBooleanField("draining", backend.draining());
            if (backend.endsAt().isPresent()) {
                json.writeStringField("ends_at", backend.endsAt().get().toString());
            }
            json.writeBooleanField("available", load.available());
            json.writeStringField("breaker", lower(load.breaker()));
            json.writeNumberField("share", load.share());
            json.writeNumberField("in_flight", load.inFlight());
            json.writeNumberField("attempts", load.attempts());
            json.writeNumberField("failures", load.failures());
            if (load.lastFailure().isPresent()) {
                json.writeStringField("last_failure", lower(load.lastFailure().get()));
            }
            json.writeEndObject();
        }
        json.writeEndArray();
    }
}
