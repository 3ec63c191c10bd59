package dev.tuna.router.admin;

import dev.tuna.router.NamedKey;
import dev.tuna.router.admin.RouterControl.RouteStatus;
import dev.tuna.router.http.OpenAiError;
import dev.tuna.router.http.RefusedException;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The router's own pages. Nothing here counts as traffic. Thread-safe.
 *
 * <table>
 *   <caption>Pages</caption>
 *   <tr><th>page</th><th>who may</th><th>answer</th></tr>
 *   <tr><td>{@code GET /router/livez}</td><td>everybody</td><td>200 as long as the router runs</td></tr>
 *   <tr><td>{@code GET /router/readyz}</td><td>everybody</td><td>200 if a route can serve or hold a request, else 503</td></tr>
 *   <tr><td>{@code GET /router/health}</td><td>everybody</td><td>states and counters; with an admin key also backends</td></tr>
 *   <tr><td>{@code GET /router/metrics}</td><td>everybody</td><td>Prometheus text, no backend named</td></tr>
 *   <tr><td>{@code GET /router/events}</td><td>admins</td><td>changes of state as they happen, as server-sent events;
 *     {@code ?deployment=} for those of one</td></tr>
 *   <tr><td>{@code POST /router/config}</td><td>admins</td><td>sets the URLs of a route that nobody manages</td></tr>
 *   <tr><td>{@code POST /router/spot-replicas}</td><td>admins</td><td>sets its replicas</td></tr>
 * </table>
 */
public final class AdminEndpoints {

    private static final String GET = "GET, HEAD";
    private static final String POST = "POST";

    private final RouterControl router;
    private final List<NamedKey> adminKeys;
    private final MeterRegistry meters;

    /**
     * The pages of one router.
     *
     * @param router what they show
     * @param adminKeys keys that may change things; without any, nobody may
     * @param meters what {@code /router/metrics} shows
     */
    public AdminEndpoints(RouterControl router, List<NamedKey> adminKeys, MeterRegistry meters) {
        this.router = router;
        this.adminKeys = List.copyOf(adminKeys);
        this.meters = meters;
    }

    /**
     * Answers a request.
     *
     * @param request its parts
     * @return the page, or that events are to be told
     * @throws RefusedException 400, 401, 403, 404, 405 or 409
     */
    public AdminAnswer answer(AdminRequest request) throws RefusedException {
        return switch (request.path()) {
            case "/router/livez" -> {
                allow(request, GET);
                yield AdminAnswer.Page.json(200, "{\"live\":true}");
            }
            case "/router/readyz" -> {
                allow(request, GET);
                boolean ready = router.accepting() && router.routes().stream().anyMatch(AdminEndpoints::canTake);
                yield AdminAnswer.Page.json(ready ? 200 : 503, "{\"ready\":" + ready + "}");
            }
            case "/router/health" -> {
                allow(request, GET);
                yield AdminAnswer.Page.json(200, HealthPage.of(sortedRoutes(), isAdmin(request)));
            }
            case "/router/metrics" -> {
                allow(request, GET);
                yield new AdminAnswer.Page(200, PrometheusText.CONTENT_TYPE, metrics());
            }
            case "/router/events" -> {
                allow(request, "GET");
                requireAdmin(request);
                yield events(request);
            }
            case "/router/config" -> {
                allow(request, POST);
                requireAdmin(request);
                yield change(ChangeRequest.config(request.body()));
            }
            case "/router/spot-replicas" -> {
                allow(request, POST);
                requireAdmin(request);
                yield change(ChangeRequest.spotReplicas(request.body()));
            }
            default -> throw new RefusedException(OpenAiError.unknownPath(request.path()));
        };
    }

    /**
     * What {@code /router/metrics} shows.
     *
     * @return Prometheus text, format 0.0.4
     */
    public String metrics() {
        return PrometheusText.of(meters);
    }

    private List<RouteStatus> sortedRoutes() {
        return router.routes().stream()
                .sorted(Comparator.comparing(status -> status.route().deployment()))
                .toList();
    }

    /** Whether a request that arrived now would be served, or held until something comes up. */
    private static boolean canTake(RouteStatus status) {
        boolean serves = status.load().backends().values().stream().anyMatch(load -> load.available());
        return serves
                || status.load().traffic().waiting() < status.route().policy().waitingRoom();
    }

    private AdminAnswer events(AdminRequest request) throws RefusedException {
        Optional<String> deployment = Optional.empty();
        for (Map.Entry<String, List<String>> parameter : request.query().entrySet()) {
            if (!parameter.getKey().equals("deployment") || parameter.getValue().size() != 1) {
                throw new RefusedException(OpenAiError.badField(
                        parameter.getKey(),
                        "invalid_parameter",
                        "'" + parameter.getKey() + "' cannot be asked for here; allowed is 'deployment', once."));
            }
            deployment = Optional.of(parameter.getValue().get(0));
        }
        return new AdminAnswer.Events(deployment, request.lastEventId(), stateOf(deployment));
    }

    private Supplier<String> stateOf(Optional<String> deployment) {
        return () -> HealthPage.of(
                sortedRoutes().stream()
                        .filter(status -> deployment
                                .map(status.route().deployment()::equals)
                                .orElse(true))
                        .toList(),
                true);
    }

    private AdminAnswer change(ChangeRequest request) throws RefusedException {
        String deployment =
                request.deployment().isPresent() ? request.deployment().get() : onlyRoute();
        if (router.route(deployment).isEmpty()) {
            throw new RefusedException(OpenAiError.badField(
                    "deployment",
                    "unknown_deployment",
                    "There is no deployment '" + deployment + "' here; there are: " + names() + "."));
        }
        router.editable(deployment)
                .orElseThrow(() -> new RefusedException(OpenAiError.managedRoute(deployment)))
                .change(request.change());
        return AdminAnswer.Page.json(200, "{\"status\":\"ok\"}");
    }

    private String onlyRoute() throws RefusedException {
        List<RouteStatus> routes = sortedRoutes();
        if (routes.size() != 1) {
            throw new RefusedException(OpenAiError.badField(
                    "deployment",
                    "missing_deployment",
                    "Say which deployment is meant by 'deployment'; there are: " + names() + "."));
        }
        return routes.get(0).route().deployment();
    }

    private String names() {
        List<String> names = sortedRoutes().stream()
                .map(status -> status.route().deployment())
                .toList();
        return names.isEmpty() ? "none" : String.join(", ", names);
    }

    private static void allow(AdminRequest request, String methods) throws RefusedException {
        if (!Set.of(methods.split(", ", -1)).contains(request.method().name())) {
            throw new RefusedException(
                    OpenAiError.methodNotAllowed(request.method().name(), request.path(), methods));
        }
    }

    private void requireAdmin(AdminRequest request) throws RefusedException {
        if (adminKeys.isEmpty()) {
            throw new RefusedException(OpenAiError.noAdminKeys());
        }
        if (!isAdmin(request)) {
            throw new RefusedException(isTraffic(request) ? OpenAiError.adminKeyNeeded() : OpenAiError.unauthorized());
        }
    }

    private boolean isAdmin(AdminRequest request) {
        return matchesAny(adminKeys, request);
    }

    private boolean isTraffic(AdminRequest request) {
        List<NamedKey> keys = router.routes().stream()
                .flatMap(status -> status.route().keys().stream())
                .toList();
        return matchesAny(keys, request);
    }

    /** Looks at every key, so that the time taken does not tell which one it was. */
    private static boolean matchesAny(List<NamedKey> keys, AdminRequest request) {
        if (request.key().isEmpty()) {
            return false;
        }
        byte[] presented = request.key().get().getBytes(StandardCharsets.ISO_8859_1);
        boolean matches = false;
        for (NamedKey key : keys) {
            matches |= key.matches(presented);
        }
        return matches;
    }
}
