package dev.tuna.router.parity;

import static dev.tuna.router.parity.ParityRig.CHAT;
import static dev.tuna.router.parity.ParityRig.KEY;
import static dev.tuna.router.parity.ParityRig.MODEL;
import static dev.tuna.router.parity.ParityRig.PROVIDER_TOKEN;
import static dev.tuna.router.parity.ParityRig.backend;
import static dev.tuna.router.parity.ParityRig.chat;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Secret;
import dev.tuna.api.Tier;
import dev.tuna.router.NamedKey;
import dev.tuna.router.Route;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RoutePolicy;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.net.URI;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys: who gets in, and which secret is seen by whom. */
class KeysParityTest {

    private static final String AUTHORIZATION = "Authorization";

    private final ParityRig rig = new ParityRig();

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    @DisplayName("R-18 several named keys, as bearer token or x-api-key, each replaceable")
    void severalKeys() {
        VllmStandIn spot = rig.standIn();
        put(List.of(NamedKey.of("old", Secret.of("key-1")), NamedKey.of("new", Secret.of("key-2"))), spot.uri());
        assertThat(rig.post(CHAT, chat(""), "key-1").statusCode()).isEqualTo(200);
        assertThat(rig.post(CHAT, chat(""), "key-2").statusCode()).isEqualTo(200);
        assertThat(rig.send(rig.request(CHAT).header("x-api-key", "key-2").POST(BodyPublishers.ofString(chat(""))))
                        .statusCode())
                .isEqualTo(200);

        put(List.of(NamedKey.of("new", Secret.of("key-2"))), spot.uri());
        assertThat(rig.post(CHAT, chat(""), "key-1").statusCode()).isEqualTo(401);
        assertThat(rig.post(CHAT, chat(""), "key-2").statusCode()).isEqualTo(200);
    }

    @ParameterizedTest
    @DisplayName("R-18, experiment 13: a key that is no key is 401, whatever its bytes")
    @ValueSource(
            strings = {
                "Authorization: Bearer cl\u00e9",
                "x-api-key: \u00ff\u0080",
                "Authorization: Bearer ",
                "Authorization: Basic cm91dGVyLWtleQ==",
                "Authorization: router-key",
                "X-Other: router-key"
            })
    void wrongKeys(String field) throws Exception {
        rig.spot(rig.standIn().uri());
        String body = chat("");

        String answer = rig.exchange("POST " + CHAT + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + field
                + "\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);

        assertThat(answer).startsWith("HTTP/1.1 401 ").contains("\"code\":\"invalid_api_key\"");
    }

    @Test
    @DisplayName("R-19 a backend gets the credential it demands, whatever the header is called")
    void anyCredential() {
        VllmStandIn cloud = rig.standIn();
        BackendAddress address = new BackendAddress(
                cloud.uri(),
                Optional.of(new Credential("Modal-Key", Secret.of("wk-1"))),
                "/health",
                Optional.empty(),
                0);
        rig.router.put(new Route(
                "chat",
                List.of(MODEL),
                List.of(NamedKey.of("client", Secret.of(KEY))),
                false,
                List.of(RouteBackend.of("modal", Tier.SERVERLESS, address)),
                List.of(),
                0,
                RoutePolicy.DEFAULT));

        assertThat(rig.ask("").statusCode()).isEqualTo(200);
        assertThat(cloud.requests(CHAT)).singleElement().satisfies(request -> {
            assertThat(request.headers("Modal-Key")).containsExactly("wk-1");
            assertThat(request.header(AUTHORIZATION)).isEmpty();
        });
    }

    @Test
    @DisplayName("R-20, experiment 1: the client's key never reaches a replica")
    void keyStaysHere() {
        VllmStandIn spot = rig.standIn();
        rig.spot(spot.uri());

        assertThat(rig.ask("").statusCode()).isEqualTo(200);
        assertThat(rig.send(rig.request(CHAT).header("x-api-key", KEY).POST(BodyPublishers.ofString(chat(""))))
                        .statusCode())
                .isEqualTo(200);

        assertThat(spot.requests(CHAT)).hasSize(2).allSatisfy(request -> {
            assertThat(request.header(AUTHORIZATION)).isEmpty();
            assertThat(request.headers().toString()).doesNotContain(KEY);
        });
    }

    @Test
    @DisplayName("R-21, experiment 2: after failover the provider gets one Authorization, its own")
    void failoverCredential() {
        VllmStandIn spot = rig.standIn();
        spot.inject(Fault.status(500));
        VllmStandIn cloud = rig.standIn(VllmStandIn.builder().apiKeys(Secret.of(PROVIDER_TOKEN)));
        rig.spot(spot.uri()).serverless(cloud.uri());

        HttpResponse<String> answer = rig.ask("");

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(backend(answer)).isEqualTo("serverless-1");
        assertThat(cloud.requests(CHAT)).singleElement().satisfies(request -> {
            assertThat(request.headers(AUTHORIZATION)).containsExactly("Bearer " + PROVIDER_TOKEN);
            assertThat(request.headers().toString()).doesNotContain(KEY);
        });
        assertThat(answer.headers().toString()).doesNotContain(PROVIDER_TOKEN);
    }

    @Test
    @DisplayName("R-21 a refused credential is the operator's fault and never reads as the client's")
    void refusedCredential() {
        VllmStandIn cloud = rig.standIn(VllmStandIn.builder().apiKeys(Secret.of("another-token")));
        rig.serverless(cloud.uri());

        HttpResponse<String> answer = rig.ask("");

        assertThat(answer.statusCode()).isEqualTo(502);
        assertThat(ParityRig.errorCode(answer)).isEqualTo("backend_credential_refused");
        assertThat(answer.headers().firstValue("WWW-Authenticate")).isEmpty();
    }

    private void put(List<NamedKey> keys, URI spot) {
        rig.router.put(new Route(
                "chat",
                List.of(MODEL),
                keys,
                false,
                List.of(),
                List.of(RouteBackend.of("spot-1", Tier.SPOT, BackendAddress.of(spot))),
                0,
                RoutePolicy.DEFAULT));
    }
}
