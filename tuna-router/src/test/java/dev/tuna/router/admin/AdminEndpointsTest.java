package dev.tuna.router.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.api.Secret;
import dev.tuna.api.SpotState;
import dev.tuna.api.Tier;
import dev.tuna.router.BackendLoad;
import dev.tuna.router.BreakerPhase;
import dev.tuna.router.NamedKey;
import dev.tuna.router.Route;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RouteLoad;
import dev.tuna.router.RoutePolicy;
import dev.tuna.router.http.RefusedException;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AdminEndpointsTest {

    private static final String ADMIN = "admin-key";
    private static final String TRAFFIC = "traffic-key";

    private static final TrafficStats TRAFFIC_SO_FAR =
            new TrafficStats(9, 7, 0, 2, 1, 1, 1, 0, Map.of(Tier.SPOT, 5L, Tier.SERVERLESS, 2L));

    private final FakeRouter router = new FakeRouter();
    private final AdminEndpoints endpoints =
            new AdminEndpoints(router, List.of(key("old", "retired"), key("ops", ADMIN)), new SimpleMeterRegistry());

    @Test
    @DisplayName("R-01 health without a key shows states and counts and no backend")
    void healthHidesBackendsFromTheWorld() throws Exception {
        router.add("chat", route("chat", RoutePolicy.DEFAULT), load(SpotState.READY, true));

        for (Optional<String> key : List.of(Optional.<String>empty(), Optional.of(TRAFFIC), Optional.of("wrong"))) {
            AdminAnswer.Page health = get("/router/health", key);
            assertThat(health.status()).isEqualTo(200);
            assertThat(health.text())
                    .contains(
                            "\"skyserve_ready\":true",
                            "\"spot_state\":\"ready\"",
                            "\"total\":9",
                            "\"spot\":5",
                            "\"client_errors\":1")
                    .doesNotContain("10.0.0.7", "spot-1", "backends", "provider-token", "http");
        }
    }

    @Test
    @DisplayName("R-01 health with an admin key shows backends, never credentials")
    void healthShowsBackendsToAdmins() throws Exception {
        router.add("chat", route("chat", RoutePolicy.DEFAULT), load(SpotState.COLD, true));
        router.add("other", route("other", RoutePolicy.DEFAULT), load(SpotState.READY, false));

        assertThat(get("/router/health", Optional.of(ADMIN)).text())
                .startsWith("{\"deployments\":{\"chat\":{\"models\":[\"chat\"],\"skyserve_ready\":false")
                .contains("\"id\":\"spot-1\"", "\"url\":\"http://10.0.0.7:8000\"", "\"available\":false")
                .doesNotContain("provider-token");
    }

    @Test
    void isReadyIffARequestCouldBeServedOrHeld() throws Exception {
        RoutePolicy noRoom = RoutePolicy.builder().waitingRoom(0).build();
        assertThat(get("/router/readyz", Optional.empty()).status())
                .as("no route")
                .isEqualTo(503);

        router.add("chat", route("chat", noRoom), load(SpotState.COLD, false));
        assertThat(get("/router/readyz", Optional.empty()).status())
                .as("nothing serves, no room")
                .isEqualTo(503);
        assertThat(get("/router/livez", Optional.empty()).status()).isEqualTo(200);

        router.add("chat", route("chat", RoutePolicy.DEFAULT), load(SpotState.COLD, false));
        assertThat(get("/router/readyz", Optional.empty()).status())
                .as("room to wait")
                .isEqualTo(200);

        router.add("chat", route("chat", noRoom), load(SpotState.READY, true));
        assertThat(get("/router/readyz", Optional.empty()).status())
                .as("a backend serves")
                .isEqualTo(200);

        router.accepting = false;
        assertThat(get("/router/readyz", Optional.empty()).status())
                .as("closing")
                .isEqualTo(503);
    }

    @ParameterizedTest(name = "{0} {1} with key {2}: {3}")
    @DisplayName("R-02 only an admin key changes backends")
    @CsvSource({
        "POST, /router/config, '', 401",
        "POST, /router/config, wrong, 401",
        "POST, /router/config, traffic-key, 403",
        "POST, /router/config, clé, 401",
        "POST, /router/spot-replicas, '', 401",
        "POST, /router/spot-replicas, traffic-key, 403",
        "GET, /router/events, '', 401",
        "GET, /router/events, traffic-key, 403",
        "POST, /router/events, admin-key, 405",
        "HEAD, /router/events, admin-key, 405",
        "GET, /router/events?deployments=chat, admin-key, 400",
        "GET, /router/events?deployment=chat&deployment=other, admin-key, 400",
        "GET, /router/config, admin-key, 405",
        "PUT, /router/spot-replicas, admin-key, 405",
        "POST, /router/health, admin-key, 405",
        "DELETE, /router/metrics, '', 405",
        "GET, /router, admin-key, 404",
        "GET, /router/, admin-key, 404",
        "POST, /router/config/, admin-key, 404",
        "GET, /router/docs, admin-key, 404",
    })
    void refuses(String method, String path, String key, int status) {
        router.addEditable("chat");
        Optional<String> sent = Optional.of(key).filter(text -> !text.isEmpty());

        assertRefused(
                status, () -> answer(HttpMethod.valueOf(method), path, sent, "{\"spot_url\":\"http://10.0.0.9\"}"));
        assertThat(router.changes).isEmpty();
    }

    @Test
    void withoutAdminKeysNobodyChangesAnything() {
        router.addEditable("chat");
        AdminEndpoints open = new AdminEndpoints(router, List.of(), new SimpleMeterRegistry());

        assertThatThrownBy(() -> open.answer(request(HttpMethod.POST, "/router/config", Optional.of(ADMIN), "")))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("no admin keys");
    }

    @Test
    void setsBackends() throws Exception {
        router.addEditable("chat");

        post("/router/config", "{\"serverless_url\":\"https://a.example/v1\",\"serverless_auth_token\":\"t0ken\"}");
        post("/router/config", "{\"deployment\":\"chat\",\"serverless_urls\":[\"https://a\",\"http://10.0.0.1:80\"]}");
        post("/router/config", "{\"spot_url\":\"http://[fd00::7]:8000\"}");
        post("/router/spot-replicas", "{\"replicas\":[\"http://10.0.0.8:8000\",\"http://10.0.0.9:8000\"]}");
        post("/router/spot-replicas", "{\"replicas\":[]}");

        assertThat(router.changes)
                .containsExactly(
                        change(List.of("https://a.example/v1"), "t0ken", null),
                        change(List.of("https://a", "http://10.0.0.1:80"), null, null),
                        change(null, null, List.of("http://[fd00::7]:8000")),
                        change(null, null, List.of("http://10.0.0.8:8000", "http://10.0.0.9:8000")),
                        change(null, null, List.of()));
    }

    @ParameterizedTest(name = "{0} {1}: {2}")
    @DisplayName("R-02 R-04 every wrong body is a 400 that names the field")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "config|| ",
                "config|nonsense| ",
                "config|[]| ",
                "config|{}| ",
                "config|{\"spot_url\":\"http://a\"} x| ",
                "config|{\"spot_url\":\"http://a\",\"spot_url\":\"http://b\"}| ",
                "config|{\"deployment\":\"chat\"}| ",
                "config|{\"spot_uri\":\"http://a\"}|spot_uri",
                "config|{\"spot_url\":7}|spot_url",
                "config|{\"spot_url\":null}|spot_url",
                "config|{\"serverless_url\":[\"http://a\"]}|serverless_url",
                "config|{\"serverless_urls\":\"http://a\"}|serverless_urls",
                "config|{\"serverless_urls\":[\"http://a\",3]}|serverless_urls[1]",
                "config|{\"serverless_urls\":[\"http://a\",\"http://a\"]}|serverless_urls[1]",
                "config|{\"serverless_urls\":[\"http://a\"],\"serverless_url\":\"http://b\"}|serverless_urls",
                "config|{\"serverless_auth_token\":\"\"}|serverless_auth_token",
                "config|{\"serverless_auth_token\":\"a b\"}|serverless_auth_token",
                "config|{\"serverless_auth_token\":\"a\\r\\nX: y\"}|serverless_auth_token",
                "config|{\"serverless_auth_token\":\"é\"}|serverless_auth_token",
                "config|{\"deployment\":\"nobody\",\"spot_url\":\"http://a\"}|deployment",
                "spot-replicas|{}|replicas",
                "spot-replicas|{\"ready_replicas\":3}|ready_replicas",
                "spot-replicas|{\"count\":\"three\"}|count",
                "spot-replicas|{\"replicas\":3}|replicas",
                "spot-replicas|{\"replicas\":\"three\"}|replicas",
                "spot-replicas|{\"replicas\":[null]}|replicas[0]",
                "spot-replicas|{\"replicas\":[\"10.0.0.7:8000\"]}|replicas[0]",
            })
    void namesWhatIsWrong(String page, String body, String param) {
        router.addEditable("chat");

        assertThatThrownBy(() -> post("/router/" + page, body == null ? "" : body))
                .isInstanceOfSatisfying(RefusedException.class, refused -> {
                    assertThat(refused.error().status()).isEqualTo(400);
                    assertThat(refused.error().param().orElse(null)).isEqualTo(param);
                });
        assertThat(router.changes).isEmpty();
    }

    @ParameterizedTest
    @DisplayName("R-03 metadata and link-local addresses, users and other schemes are no backends")
    @ValueSource(
            strings = {
                "http://169.254.169.254/latest",
                "http://169.254.0.1",
                "http://[fe80::1]:80",
                "http://[fd00:ec2::254]",
                "http://[::ffff:169.254.169.254]",
                "http://metadata.google.internal",
                "http://METADATA.google.internal.",
                "http://metadata",
                "http://2852039166",
                "http://0xA9FEA9FE",
                "http://169.254.43518",
                "http://0251.0376.0251.0376",
                "http://169.254.169.254.",
                "http://0.0.0.0:80",
                "http://[::]",
                "http://224.0.0.1",
                "http://100.100.100.200",
                "http://168.63.129.16",
                "http://user:pw@10.0.0.7",
                "http://user@10.0.0.7",
                "ftp://10.0.0.7",
                "file:///etc/passwd",
                "http://",
                "http:///v1",
                "//10.0.0.7",
                "10.0.0.7",
                "",
                "http://10.0.0.7/?a=b",
                "http://10.0.0.7/#x",
                "http://10.0.0.7:0",
                "http://10.0.0.7:70000",
                "http://a b",
                "http://[::1",
                "javascript:1"
            })
    void refusesUrls(String url) {
        assertThatThrownBy(() -> BackendUrls.check("spot_url", url))
                .isInstanceOfSatisfying(RefusedException.class, refused -> {
                    assertThat(refused.error().status()).isEqualTo(400);
                    assertThat(refused.error().param()).contains("spot_url");
                });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://127.0.0.1:8000", "https://model-x.api.baseten.co/production/sync", "http://10.0.0.7",
                        "HTTP://Host:1/",
                "http://[fd00::7]:8000", "http://ip-10-0-0-7.ec2.internal:8000", "http://gpu1", "http://1.gpu.example"
            })
    void acceptsUrls(String url) throws Exception {
        assertThat(BackendUrls.check("spot_url", url)).isEqualTo(URI.create(url));
    }

    @Test
    void managedRoutesAreNotForOthersToChange() {
        router.add("chat", route("chat", RoutePolicy.DEFAULT), load(SpotState.READY, true));

        assertRefused(409, () -> post("/router/config", "{\"spot_url\":\"http://10.0.0.7\"}"));
    }

    @Test
    void severalDeploymentsMustBeTold() {
        router.addEditable("a");
        router.addEditable("b");

        assertThatThrownBy(() -> post("/router/config", "{\"spot_url\":\"http://10.0.0.7\"}"))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("a, b");
    }

    private interface Call {
        void run() throws Exception;
    }

    private static void assertRefused(int status, Call call) {
        assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        RefusedException.class,
                        refused -> assertThat(refused.error().status()).isEqualTo(status));
    }

    private AdminAnswer.Page get(String path, Optional<String> key) throws RefusedException {
        return answer(HttpMethod.GET, path, key, "");
    }

    private AdminAnswer.Page post(String path, String body) throws RefusedException {
        return answer(HttpMethod.POST, path, Optional.of(ADMIN), body);
    }

    private AdminAnswer.Page answer(HttpMethod method, String path, Optional<String> key, String body)
            throws RefusedException {
        return (AdminAnswer.Page) endpoints.answer(request(method, path, key, body));
    }

    private static AdminRequest request(HttpMethod method, String path, Optional<String> key, String body) {
        QueryStringDecoder target = new QueryStringDecoder(path);
        return new AdminRequest(
                method,
                target.path(),
                target.parameters(),
                key,
                Optional.empty(),
                Unpooled.copiedBuffer(body, StandardCharsets.UTF_8));
    }

    private static EditableRoute.Change change(
            @Nullable List<String> serverless, @Nullable String token, @Nullable List<String> spot) {
        return new EditableRoute.Change(
                Optional.ofNullable(serverless).map(AdminEndpointsTest::uris),
                Optional.ofNullable(token).map(Secret::of),
                Optional.ofNullable(spot).map(AdminEndpointsTest::uris));
    }

    private static List<URI> uris(List<String> urls) {
        return urls.stream().map(URI::create).toList();
    }

    private static NamedKey key(String name, String key) {
        return NamedKey.of(name, Secret.of(key));
    }

    private static Route route(String deployment, RoutePolicy policy) {
        BackendAddress provider = new BackendAddress(
                URI.create("https://provider.example"),
                Optional.of(Credential.bearer(Secret.of("provider-token"))),
                "/health",
                Optional.empty(),
                0);
        return new Route(
                deployment,
                List.of(deployment),
                List.of(key("client", TRAFFIC)),
                false,
                List.of(RouteBackend.of("serverless-1", Tier.SERVERLESS, provider)),
                List.of(RouteBackend.of("spot-1", Tier.SPOT, BackendAddress.of(URI.create("http://10.0.0.7:8000")))),
                1,
                policy);
    }

    private static RouteLoad load(SpotState state, boolean available) {
        return new RouteLoad(
                TRAFFIC_SO_FAR,
                0,
                state,
                Map.of("spot-1", new BackendLoad(1, 6, 1, available, BreakerPhase.CLOSED, 1, Optional.empty())));
    }

    private static final class FakeRouter implements RouterControl {
        private final List<RouteStatus> routes = new ArrayList<>();
        private final List<String> editable = new ArrayList<>();
        private final List<EditableRoute.Change> changes = new ArrayList<>();
        private boolean accepting = true;

        void add(String name, Route route, RouteLoad load) {
            routes.removeIf(status -> status.route().deployment().equals(name));
            routes.add(0, new RouteStatus(route, load, Map.of()));
        }

        void addEditable(String name) {
            add(name, AdminEndpointsTest.route(name, RoutePolicy.DEFAULT), RouteLoad.NONE);
            editable.add(name);
        }

        @Override
        public List<RouteStatus> routes() {
            return routes;
        }

        @Override
        public Optional<RouteStatus> route(String deployment) {
            return routes.stream()
                    .filter(status -> status.route().deployment().equals(deployment))
                    .findFirst();
        }

        @Override
        public Optional<EditableRoute> editable(String deployment) {
            return editable.contains(deployment) ? Optional.of(changes::add) : Optional.empty();
        }

        @Override
        public boolean accepting() {
            return accepting;
        }
    }
}
