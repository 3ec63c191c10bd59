package dev.tuna.provider.modal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.testkit.modal.ModalStandIn;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a router meets at a web address, and what it is told beforehand so that it understands. */
class WebAddressTest {

    private static final String QUESTION =
            "{\"model\":\"tiny\",\"max_tokens\":4,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";

    private final HttpClient http =
            HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NEVER).build();

    private ModalStandIn vendor;
    private ServerlessCloud cloud;

    @BeforeEach
    void start() {
        open(ModalStandIn.builder());
    }

    private void open(ModalStandIn.Builder builder) {
        vendor = builder.bootTime(Duration.ofMillis(700))
                .patience(Duration.ofMillis(200))
                .start();
        cloud = new ModalProvider().open(Contexts.of(vendor));
    }

    @AfterEach
    void stop() {
        cloud.close();
        vendor.close();
        Wire.checkCommands(vendor);
    }

    private BackendAddress deployed(Map<String, String> options) {
        ResourceRef resource = cloud.begin(cloud.plan(Specs.with("chat", options)));
        return Eventually.is(cloud, resource, BackendPhase.READY).address().orElseThrow();
    }

    private HttpRequest.Builder to(BackendAddress address, String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(address.url() + path));
        address.credential()
                .ifPresent(credential ->
                        request.header(credential.header(), credential.value().reveal()));
        return request.header("Content-Type", "application/json");
    }

    private HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
        return http.send(request.build(), BodyHandlers.ofString());
    }

    private HttpResponse<String> ask(BackendAddress address) throws Exception {
        return send(to(address, "/v1/chat/completions").POST(BodyPublishers.ofString(QUESTION)));
    }

    private static boolean isUnserved(BackendAddress address, HttpResponse<String> answer) {
        return address.unserved().stream().anyMatch(each -> each.matches(answer.statusCode(), answer.body()));
    }

    @ParameterizedTest(name = "with a relative Location: {0}")
    @DisplayName("A cold endpoint answers 303 as often as it takes; the answer is had with GET")
    @ValueSource(booleans = {false, true})
    void aColdEndpointSaysWhereItsAnswerWillBe(boolean relative) throws Exception {
        if (relative) {
            cloud.close();
            vendor.close();
            open(ModalStandIn.builder().relativeLocation());
        }
        BackendAddress address = deployed(Map.of());
        assertThat(address.hardLimit())
                .as("the function's limit, not the 150 s")
                .contains(Duration.ofMinutes(10));
        HttpResponse<String> answer = ask(address);
        int hops = 0;
        while (answer.statusCode() == 303) {
            URI place = answer.request()
                    .uri()
                    .resolve(answer.headers().firstValue("Location").orElseThrow());
            assertThat(place.getPath()).endsWith("/v1/chat/completions");
            HttpRequest.Builder again = HttpRequest.newBuilder(place);
            address.credential()
                    .ifPresent(credential ->
                            again.header(credential.header(), credential.value().reveal()));
            if (hops == 0) {
                HttpResponse<String> wrong = send(HttpRequest.newBuilder(place)
                        .header(
                                address.credential().orElseThrow().header(),
                                address.credential().orElseThrow().value().reveal())
                        .POST(BodyPublishers.ofString(QUESTION)));
                assertThat(wrong.statusCode()).isEqualTo(400);
                assertThat(isUnserved(address, wrong)).isTrue();
            }
            answer = send(again.GET());
            hops++;
        }
        assertThat(hops).isGreaterThan(1);
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).contains("\"choices\"");
    }

    @Test
    @DisplayName("P-05: without the token nobody gets in, and no container starts")
    void strangersStartNothing() throws Exception {
        BackendAddress address = deployed(Map.of());
        HttpResponse<String> refused = send(HttpRequest.newBuilder(URI.create(address.url() + "/health")));
        assertThat(refused.statusCode()).isEqualTo(401);
        assertThat(isUnserved(address, refused))
                .as("a failover, not the client's error")
                .isTrue();
        assertThat(vendor.containers(app())).isZero();
    }

    private String app() {
        return vendor.apps().get(0);
    }

    @Test
    void theEnginesKeyGuardsWhereThatWasAskedFor() throws Exception {
        BackendAddress address = deployed(Map.of("access", "engine_key"));
        assertThat(address.credential()).as("core puts the engine's key there").isEqualTo(Optional.empty());
        HttpRequest.Builder request = to(address, "/v1/models").GET();
        HttpResponse<String> answer = send(request);
        while (answer.statusCode() == 303) {
            answer = send(HttpRequest.newBuilder(answer.request()
                    .uri()
                    .resolve(answer.headers().firstValue("Location").orElseThrow())));
        }
        assertThat(answer.statusCode()).isEqualTo(401);
        assertThat(isUnserved(address, answer)).as("said by the engine").isFalse();
    }

    @Test
    void anAppThatIsNotThereAnyMoreIsToldFromAModelThatDoesNotExist() throws Exception {
        BackendAddress address = deployed(Map.of());
        vendor.stopApp(app());
        HttpResponse<String> gone = ask(address);
        assertThat(gone.statusCode()).isEqualTo(404);
        assertThat(isUnserved(address, gone)).isTrue();
        assertThat(address.unserved())
                .noneMatch(each -> each.matches(404, "{\"error\":{\"message\":\"The model `x` does not exist.\"}}"));
    }

    @Test
    void aContainerWhoseEngineEndsIsAFailureOfTheServer() throws Exception {
        BackendAddress address = deployed(Map.of());
        vendor.breakEngines(app(), true);
        HttpResponse<String> answer = ask(address);
        while (answer.statusCode() == 303) {
            answer = send(to(address, "")
                    .GET()
                    .uri(answer.request()
                            .uri()
                            .resolve(answer.headers().firstValue("Location").orElseThrow())));
        }
        assertThat(answer.statusCode()).isEqualTo(500);
    }
}
