package dev.tuna.router.admin;

import static dev.tuna.router.admin.Labels.lower;
import static dev.tuna.router.admin.RouterEvent.Type.BACKEND_ADDED;
import static dev.tuna.router.admin.RouterEvent.Type.BACKEND_DRAINING;
import static dev.tuna.router.admin.RouterEvent.Type.BACKEND_NOTICE;
import static dev.tuna.router.admin.RouterEvent.Type.BACKEND_REMOVED;
import static dev.tuna.router.admin.RouterEvent.Type.BREAKER;
import static dev.tuna.router.admin.RouterEvent.Type.ROUTE_ADDED;
import static dev.tuna.router.admin.RouterEvent.Type.ROUTE_REMOVED;
import static dev.tuna.router.admin.RouterEvent.Type.SHARE;
import static dev.tuna.router.admin.RouterEvent.Type.SPOT_STATE;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.tuna.api.SpotState;
import dev.tuna.router.BackendLoad;
import dev.tuna.router.BreakerPhase;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RouteLoad;
import dev.tuna.router.admin.RouterControl.RouteStatus;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * What has changed between two looks at a route, as events. Each says what has become, so whoever applies them in order to
 * an older state has the newer one; what came and went in between is not told.
 */
public final class RouteChanges {

    private static final JsonFactory JSON = new JsonFactory();

    private final String deployment;
    private final Instant at;
    private final List<RouterEvent> events = new ArrayList<>();

    private RouteChanges(String deployment, Instant at) {
        this.deployment = deployment;
        this.at = at;
    }

    /** Writes an event's particulars. */
    private interface Particulars {
        void write(JsonGenerator json) throws IOException;
    }

    /**
     * Compares.
     *
     * @param deployment the route's name
     * @param before the route at the last look; empty if there was none
     * @param after the route now; empty if there is none
     * @param at when, for the events
     * @return the events, causes before effects; empty if nothing has changed that is told
     */
    public static List<RouterEvent> between(
            String deployment, Optional<RouteStatus> before, Optional<RouteStatus> after, Instant at) {
        RouteChanges changes = new RouteChanges(deployment, at);
        if (after.isEmpty()) {
            before.ifPresent(gone -> changes.add(ROUTE_REMOVED, json -> {}));
        } else {
            if (before.isEmpty()) {
                changes.added(after.get());
            }
            changes.backends(before, after.get());
            before.ifPresent(old ->
                    changes.spotState(old.load().spotState(), after.get().load().spotState()));
        }
        return List.copyOf(changes.events);
    }

    private void added(RouteStatus route) {
        add(ROUTE_ADDED, json -> {
            json.writeArrayFieldStart("models");
            for (String model : route.route().models()) {
                json.writeString(model);
            }
            json.writeEndArray();
            json.writeStringField("spot_state", lower(route.load().spotState()));
        });
    }

    private void spotState(SpotState from, SpotState to) {
        if (from != to) {
            add(SPOT_STATE, json -> fromTo(json, lower(from), lower(to)));
        }
    }

    private void backends(Optional<RouteStatus> before, RouteStatus after) {
        Map<String, RouteBackend> old = before.map(RouteChanges::byId).orElse(Map.of());
        Map<String, RouteBackend> now = byId(after);
        old.forEach((id, backend) -> {
            if (!now.containsKey(id) || !isSame(backend, Objects.requireNonNull(now.get(id)))) {
                about(BACKEND_REMOVED, backend, json -> {});
            }
        });
        now.forEach((id, backend) -> {
            RouteBackend known = old.get(id);
            if (known == null || !isSame(known, backend)) {
                backendAdded(backend, after.load().backend(id));
            } else {
                changed(known, backend);
                changed(
                        backend,
                        before.map(RouteStatus::load).orElse(RouteLoad.NONE).backend(id),
                        after.load());
            }
        });
    }

    private static Map<String, RouteBackend> byId(RouteStatus status) {
        Map<String, RouteBackend> all = new LinkedHashMap<>();
        status.route().serverless().forEach(backend -> all.put(backend.id(), backend));
        status.route().replicas().forEach(backend -> all.put(backend.id(), backend));
        return all;
    }

    /** At another address it is another machine. */
    private static boolean isSame(RouteBackend one, RouteBackend other) {
        return one.tier() == other.tier()
                && one.address().url().equals(other.address().url());
    }

    private void backendAdded(RouteBackend backend, BackendLoad load) {
        about(BACKEND_ADDED, backend, json -> {
            json.writeStringField("url", backend.address().url().toString());
            json.writeBooleanField("draining", backend.draining());
            endsAt(json, backend);
            json.writeStringField("breaker", lower(load.breaker()));
            json.writeNumberField("share", rounded(load.share()));
        });
    }

    private void changed(RouteBackend before, RouteBackend after) {
        if (!after.endsAt().equals(before.endsAt())) {
            about(BACKEND_NOTICE, after, json -> endsAt(json, after));
        }
        if (after.draining() != before.draining()) {
            about(BACKEND_DRAINING, after, json -> json.writeBooleanField("draining", after.draining()));
        }
    }

    private static void endsAt(JsonGenerator json, RouteBackend backend) throws IOException {
        if (backend.endsAt().isPresent()) {
            json.writeStringField("ends_at", backend.endsAt().get().toString());
        } else {
            json.writeNullField("ends_at");
        }
    }

    private void changed(RouteBackend backend, BackendLoad before, RouteLoad load) {
        BackendLoad after = load.backend(backend.id());
        if (after.breaker() != before.breaker()) {
            about(BREAKER, backend, json -> {
                fromTo(json, lower(before.breaker()), lower(after.breaker()));
                if (after.breaker() == BreakerPhase.OPEN && after.lastFailure().isPresent()) {
                    json.writeStringField("failure", lower(after.lastFailure().get()));
                }
            });
        }
        if (after.share() != before.share()) {
            about(SHARE, backend, json -> {
                json.writeNumberField("from", rounded(before.share()));
                json.writeNumberField("to", rounded(after.share()));
            });
        }
    }

    private static void fromTo(JsonGenerator json, String from, String to) throws IOException {
        json.writeStringField("from", from);
        json.writeStringField("to", to);
    }

    private void about(RouterEvent.Type type, RouteBackend backend, Particulars particulars) {
        add(type, json -> {
            json.writeStringField("backend", backend.id());
            json.writeStringField("tier", lower(backend.tier()));
            particulars.write(json);
        });
    }

    private void add(RouterEvent.Type type, Particulars particulars) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text)) {
            json.writeStartObject();
            json.writeStringField("at", at.toString());
            json.writeStringField("deployment", deployment);
            particulars.write(json);
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        events.add(new RouterEvent(type, deployment, text.toString()));
    }

    /** Without the dust of repeated addition. */
    private static double rounded(double share) {
        return Math.round(share * 1000) / 1000.0;
    }
}
