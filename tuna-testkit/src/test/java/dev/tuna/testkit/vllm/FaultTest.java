package dev.tuna.testkit.vllm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.testkit.vllm.Fault.Kind;
import dev.tuna.testkit.vllm.Fault.Moment;
import dev.tuna.testkit.vllm.Wire.Events;
import dev.tuna.testkit.vllm.Wire.Raw;
import java.io.ByteArrayInputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FaultTest {

    private static final String STREAM = Wire.chat("hello", ",\"stream\":true,\"return_token_ids\":true");
    private static final String WHOLE = Wire.chat("hello", "");

    private VllmStandIn server;

    @BeforeEach
    void start() {
        server = VllmStandIn.start();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Raw raw(String body) throws Exception {
        return Wire.readToEnd(Wire.open(server, Wire.CHAT, body));
    }

    private Outcome lastOutcome() {
        var requests = server.requests();
        return requests.get(requests.size() - 1).outcome();
    }

    @Test
    void refusesConnectionsUntilCleared() throws Exception {
        server.inject(Fault.refuse());
        assertThat(server.listening()).isFalse();
        assertThatThrownBy(() -> new Socket(InetAddress.getLoopbackAddress(), server.port()).close())
                .isInstanceOf(ConnectException.class);
        server.clearFaults();
        assertThat(Wire.get(server, "/health").statusCode()).isEqualTo(200);
    }

    @Test
    void answersWithAStatusForTheNextRequestsOnly() throws Exception {
        server.inject(Fault.status(503).times(2));
        server.inject(Fault.tooManyRequests(Duration.ofSeconds(7)).once());
        assertThat(Wire.post(server, Wire.CHAT, WHOLE).statusCode()).isEqualTo(503);
        assertThat(Wire.get(server, "/health").statusCode()).isEqualTo(200);
        assertThat(Wire.post(server, Wire.CHAT, STREAM).statusCode()).isEqualTo(503);
        HttpResponse<String> limited = Wire.post(server, Wire.CHAT, WHOLE);
        assertThat(limited.statusCode()).isEqualTo(429);
        assertThat(limited.headers().firstValue("retry-after")).hasValue("7");
        assertThat(Wire.post(server, Wire.CHAT, WHOLE).statusCode()).isEqualTo(200);
        assertThat(server.stats().faulted()).isEqualTo(3);
    }

    @Test
    void fitsOnlyTheRequestsChosen() throws Exception {
        server.inject(Fault.status(500).on("/health"));
        server.inject(Fault.status(501).when(request -> request.bodyText().contains("hello")));
        assertThat(Wire.get(server, "/health").statusCode()).isEqualTo(500);
        assertThat(Wire.post(server, Wire.CHAT, Wire.chat("bye", "")).statusCode())
                .isEqualTo(200);
        assertThat(Wire.post(server, Wire.CHAT, WHOLE).statusCode()).isEqualTo(501);
    }

    @Test
    void cutsBeforeAndAfterTheHeaders() throws Exception {
        server.inject(Fault.reset(Moment.BEFORE_HEADERS).once());
        assertThat(raw(STREAM)).isEqualTo(new Raw("", true));
        server.inject(Fault.eof(Moment.BEFORE_HEADERS).once());
        assertThat(raw(STREAM)).isEqualTo(new Raw("", false));
        server.inject(Fault.reset(Moment.AFTER_HEADERS).once());
        Raw reset = raw(STREAM);
        assertThat(reset.text()).startsWith("HTTP/1.1 200 OK\r\n").endsWith("\r\n\r\n");
        assertThat(reset.reset()).isTrue();
        server.inject(Fault.eof(Moment.AFTER_HEADERS).once());
        assertThat(raw(WHOLE).reset()).isFalse();
        assertThat(server.stats().faulted()).isEqualTo(4);
        assertThat(server.running()).isZero();
    }

    @Test
    void cutsAtEveryToken() throws Exception {
        Events whole = Wire.stream(server, Wire.CHAT, STREAM);
        int tokens = whole.ids().size();
        for (int token = 0; token < tokens; token += 5) {
            server.inject(Fault.reset(Moment.atToken(token)).once());
            Raw reset = raw(STREAM);
            assertThat(reset.reset()).isTrue();
            assertThat(reset.events().ids()).isEqualTo(whole.ids().subList(0, token));
            assertThat(reset.events().chunks()).hasSize(token + 1);
            server.inject(Fault.eof(Moment.atToken(token)).once());
            Raw eof = raw(STREAM);
            assertThat(eof.reset()).isFalse();
            assertThat(eof.events().ids()).isEqualTo(whole.ids().subList(0, token));
            assertThat(eof.events().done()).isFalse();
            assertThat(lastOutcome()).isEqualTo(Outcome.FAULTED);
        }
        assertThat(server.running()).isZero();
    }

    @Test
    void stallsUntilTheClientLeaves() throws Exception {
        for (Moment moment : new Moment[] {Moment.BEFORE_HEADERS, Moment.AFTER_HEADERS, Moment.atToken(3)}) {
            server.inject(Fault.stall(moment).once());
            long aborted = server.stats().aborted();
            try (Socket socket = Wire.open(server, Wire.CHAT, STREAM)) {
                assertThat(socket.isConnected()).isTrue();
                if (moment.token() >= 0) {
                    Wire.await("the request stalls", () -> lastTokens() == 3);
                    assertThat(server.running()).isEqualTo(1);
                }
                Wire.await("the request arrived", () -> server.stats().requests() > aborted);
                assertThat(lastOutcome()).isEqualTo(Outcome.IN_FLIGHT);
            }
            Wire.await("the abort is noticed", () -> server.stats().aborted() == aborted + 1);
            assertThat(server.running()).isZero();
        }
    }

    private int lastTokens() {
        var requests = server.requests();
        return requests.isEmpty() ? 0 : requests.get(requests.size() - 1).tokens();
    }

    @Test
    void abortsWithAnOrderlyEndThatIsNone() throws Exception {
        server.inject(Fault.abort(4));
        Events events = Wire.stream(server, Wire.CHAT, STREAM);
        assertThat(events.ids()).hasSize(4);
        assertThat(events.finishReason()).isEqualTo("abort");
        assertThat(events.done()).isTrue();
        JsonNode whole = Wire.json(Wire.post(server, Wire.CHAT, WHOLE).body());
        assertThat(whole.at("/choices/0/finish_reason").asText()).isEqualTo("abort");
        assertThat(whole.at("/usage/completion_tokens").asInt()).isEqualTo(4);
        assertThat(server.stats().faulted()).isEqualTo(2);
    }

    @Test
    void sendsAnErrorEventAndDone() throws Exception {
        server.inject(Fault.errorEvent(4));
        Events events = Wire.stream(server, Wire.CHAT, STREAM);
        assertThat(events.ids()).hasSize(4);
        assertThat(events.chunks()
                        .get(events.chunks().size() - 1)
                        .at("/error/code")
                        .asInt())
                .isEqualTo(500);
        assertThat(events.done()).isTrue();
        assertThat(Wire.post(server, Wire.CHAT, WHOLE).statusCode()).isEqualTo(500);
        assertThat(server.running()).isZero();
    }

    @Test
    void ignoresTheIdsOrRefusesAPrefillOnRequest() throws Exception {
        String ids = ",\"return_token_ids\":true,\"kv_transfer_params\":{\"prompt_token_ids\":[300,301]}";
        server.inject(Fault.of(Kind.IGNORE_PROMPT_TOKEN_IDS).once());
        JsonNode ignored =
                Wire.json(Wire.post(server, Wire.CHAT, Wire.chat("hello", ids)).body());
        assertThat(ignored.path("prompt_token_ids").size()).isGreaterThan(2);
        server.inject(Fault.of(Kind.REJECT_PREFILL));
        String prefill = ",\"continue_final_message\":true,\"add_generation_prompt\":false";
        assertThat(Wire.post(server, Wire.CHAT, Wire.chat("hello", prefill)).statusCode())
                .isEqualTo(400);
        assertThat(Wire.post(server, Wire.CHAT, WHOLE).statusCode()).isEqualTo(200);
    }

    @Test
    void sendsIdsAheadOfTheirText() throws Exception {
        Events plain = Wire.stream(server, Wire.CHAT, STREAM);
        server.inject(Fault.of(Kind.IDS_WITHOUT_TEXT));
        Events lagging = Wire.stream(server, Wire.CHAT, STREAM);
        assertThat(lagging.text()).isEqualTo(plain.text());
        assertThat(lagging.ids()).isEqualTo(plain.ids());
        assertThat(lagging.chunks().get(1).at("/choices/0/delta/content").asText())
                .isEmpty();
        assertThat(lagging.chunks().get(1).at("/choices/0/token_ids")).hasSize(1);
    }

    @Test
    void cutsWithinAStopString() throws Exception {
        String prompt = "{\"prompt\":\"the sea\",\"max_tokens\":60,\"ignore_eos\":true,\"stream\":true";
        String all = Wire.stream(server, Wire.COMPLETIONS, prompt + "}").text();
        String stop = all.substring(60, 80);
        server.inject(Fault.of(Kind.RESET_WITHIN_STOP));
        String body = prompt + ",\"stop\":" + Wire.JSON.writeValueAsString(stop) + "}";
        Raw cut = Wire.readToEnd(Wire.open(server, Wire.COMPLETIONS, body));
        int tokens = lastTokens();
        int[] ids = StandInModel.answer(tokens, StandInTokenizer.encode("the sea"));
        assertThat(cut.reset()).isTrue();
        assertThat(all.substring(0, 80)).startsWith(StandInTokenizer.decode(ids));
        assertThat(StandInTokenizer.decode(ids).length()).isBetween(61, 79);
    }

    @Test
    void padsTheBody() throws Exception {
        server.inject(Fault.hugeBody(3_000_000));
        String whole = Wire.post(server, Wire.CHAT, WHOLE).body();
        assertThat(whole.length()).isGreaterThan(3_000_000);
        assertThat(Wire.json(whole).path("object").asText()).isEqualTo("chat.completion");
        assertThat(Wire.stream(server, Wire.CHAT, STREAM).done()).isTrue();
    }

    @Test
    void dribblesTheBodyOut() throws Exception {
        String plain = Wire.stream(server, Wire.CHAT, STREAM).text();
        server.inject(Fault.slowBody(100, Duration.ofNanos(10_000)));
        Events slow = Wire.stream(server, Wire.CHAT, STREAM);
        assertThat(slow.text()).isEqualTo(plain);
        assertThat(slow.done()).isTrue();
        assertThat(Wire.json(Wire.post(server, Wire.CHAT, WHOLE).body()).has("choices"))
                .isTrue();
    }

    @Test
    void compressesAndRepeatsHeaders() throws Exception {
        String plain = Wire.stream(server, Wire.CHAT, STREAM).text();
        server.inject(Fault.of(Kind.GZIP).times(2));
        HttpResponse<byte[]> coded = Wire.postForBytes(server, Wire.CHAT, STREAM);
        assertThat(coded.headers().firstValue("content-encoding")).hasValue("gzip");
        assertThat(Wire.events(unzip(coded.body())).text()).isEqualTo(plain);
        assertThat(Wire.json(unzip(Wire.postForBytes(server, Wire.CHAT, WHOLE).body()))
                        .has("choices"))
                .isTrue();
        server.inject(Fault.of(Kind.REPEATED_HEADERS));
        HttpResponse<String> repeated = Wire.post(server, Wire.CHAT, WHOLE);
        assertThat(repeated.headers().allValues("set-cookie")).containsExactly("a=1; Path=/", "b=2; Path=/");
        assertThat(repeated.headers().allValues("x-repeated")).containsExactly("first", "second");
    }

    private static String unzip(byte[] bytes) throws Exception {
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(bytes))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void takesFaultsOverHttpAndRefusesUnknownOnes() throws Exception {
        String fault =
                "[{\"kind\":\"abort\",\"token\":2,\"times\":1},{\"kind\":\"status\",\"status\":502,\"times\":1}]";
        assertThat(Wire.post(server, "/standin/faults", fault).body()).isEqualTo("{\"injected\":2}");
        assertThat(Wire.stream(server, Wire.CHAT, STREAM).finishReason()).isEqualTo("abort");
        assertThat(Wire.post(server, Wire.CHAT, WHOLE).statusCode()).isEqualTo(502);
        assertThat(Wire.json(Wire.get(server, "/standin/stats").body())
                        .path("faulted")
                        .asInt())
                .isEqualTo(2);
        HttpResponse<String> unknown = Wire.post(server, "/standin/faults", "{\"kind\":\"explode\"}");
        assertThat(unknown.statusCode()).isEqualTo(400);
        assertThat(unknown.body()).contains("explode", "reset", "stall");
        assertThat(Wire.post(server, "/standin/faults", "{\"kind\":\"gzip\",\"tokens\":1}")
                        .body())
                .contains("tokens");
    }
}
