package dev.tuna.testkit.vllm;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.Secret;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SurfaceTest {

    private VllmStandIn server;

    @BeforeEach
    void start() {
        server = VllmStandIn.builder()
                .servedModelNames("stand-in/tiny", "alias")
                .maxModelLen(200)
                .requestIdHeaders(true)
                .start();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @ParameterizedTest
    @CsvSource({"GET,/health", "GET,/ping", "POST,/ping"})
    void tellsThatItIsHealthyWithAnEmptyBody(String method, String path) throws Exception {
        HttpResponse<String> response = Wire.send(Wire.request(server, path)
                .method(method, BodyPublishers.noBody())
                .build());
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).isEmpty();
    }

    @Test
    void tellsItsVersionLoadAndModels() throws Exception {
        assertThat(Wire.get(server, "/version").body()).isEqualTo("{\"version\":\"0.31.0\"}");
        assertThat(Wire.get(server, "/load").body()).isEqualTo("{\"server_load\":0}");
        JsonNode models = Wire.json(Wire.get(server, "/v1/models").body());
        assertThat(models.at("/data/0/id").asText()).isEqualTo("stand-in/tiny");
        assertThat(models.at("/data/1/id").asText()).isEqualTo("alias");
        assertThat(models.at("/data/1/max_model_len").asInt()).isEqualTo(200);
    }

    @Test
    void countsTrulyInItsMetrics() throws Exception {
        JsonNode answer =
                Wire.json(Wire.post(server, Wire.CHAT, Wire.chat("hello", "")).body());
        String metrics = Wire.get(server, "/metrics").body();
        String labels = "{engine=\"0\",model_name=\"stand-in/tiny\"} ";
        assertThat(metrics)
                .contains("# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running" + labels + "0.0\n")
                .contains("vllm:prompt_tokens_total" + labels
                        + answer.at("/usage/prompt_tokens").asInt() + ".0\n")
                .contains("vllm:generation_tokens_total" + labels
                        + answer.at("/usage/completion_tokens").asInt() + ".0\n")
                .contains("finished_reason=\"stop\"} 1.0\n")
                .contains("vllm:time_to_first_token_seconds_count" + labels + "1.0\n");
    }

    @Test
    void tokenizesTextAndMessagesAndBack() throws Exception {
        JsonNode text = Wire.json(
                Wire.post(server, "/tokenize", "{\"prompt\":\"the river\"}").body());
        assertThat(text.path("count").asInt())
                .isEqualTo(text.path("tokens").size())
                .isPositive();
        assertThat(text.path("max_model_len").asInt()).isEqualTo(200);
        String back = Wire.post(server, "/detokenize", "{\"tokens\":" + text.path("tokens") + "}")
                .body();
        assertThat(back).isEqualTo("{\"prompt\":\"the river\"}");
        JsonNode chat = Wire.json(
                Wire.post(server, "/tokenize", Wire.chat("the river", "")).body());
        JsonNode answer = Wire.json(Wire.post(server, Wire.CHAT, Wire.chat("the river", ",\"return_token_ids\":true"))
                .body());
        assertThat(chat.path("tokens")).isEqualTo(answer.path("prompt_token_ids"));
    }

    @Test
    void embedsTheSameTextTheSameWay() throws Exception {
        JsonNode answer = Wire.json(Wire.post(server, "/v1/embeddings", "{\"input\":[\"a\",\"b\",\"a\"]}")
                .body());
        assertThat(answer.at("/data/0/embedding"))
                .isEqualTo(answer.at("/data/2/embedding"))
                .isNotEqualTo(answer.at("/data/1/embedding"));
        assertThat(answer.at("/usage/prompt_tokens").asInt()).isEqualTo(3);
        JsonNode coded =
                Wire.json(Wire.post(server, "/v1/embeddings", "{\"input\":\"a\",\"encoding_format\":\"base64\"}")
                        .body());
        assertThat(coded.at("/data/0/embedding").isTextual()).isTrue();
    }

    @Test
    void answersToEveryAliasWithItsFirstName() throws Exception {
        String body = Wire.chat("hi", "").replace("stand-in/tiny", "alias");
        assertThat(Wire.json(Wire.post(server, Wire.CHAT, body).body())
                        .path("model")
                        .asText())
                .isEqualTo("stand-in/tiny");
    }

    @Test
    void echoesTheRequestIdWhenEnabled() throws Exception {
        HttpResponse<String> response = Wire.send(Wire.request(server, Wire.CHAT)
                .header("Content-Type", "application/json; charset=utf-8")
                .header("X-Request-Id", "abc-1")
                .POST(BodyPublishers.ofString(Wire.chat("hi", "")))
                .build());
        assertThat(response.headers().firstValue("x-request-id")).hasValue("abc-1");
        assertThat(Wire.json(response.body()).path("id").asText()).isEqualTo("chatcmpl-abc-1");
    }

    @Test
    void guardsOnlySomePathsWithItsKeys() throws Exception {
        try (VllmStandIn guarded = VllmStandIn.builder()
                .apiKeys(Secret.of("one"), Secret.of("two"))
                .start()) {
            HttpResponse<String> refused = Wire.get(guarded, "/v1/models");
            assertThat(refused.statusCode()).isEqualTo(401);
            assertThat(refused.body()).isEqualTo("{\"error\":\"Unauthorized\"}");
            assertThat(Wire.get(guarded, "/health").statusCode()).isEqualTo(200);
            assertThat(Wire.post(guarded, "/tokenize", "{\"prompt\":\"x\"}").statusCode())
                    .isEqualTo(200);
            HttpResponse<String> allowed = Wire.send(Wire.request(guarded, "/v1/models")
                    .header("Authorization", "Bearer two")
                    .build());
            assertThat(allowed.statusCode()).isEqualTo(200);
        }
    }

    @ParameterizedTest(name = "{0} {1}: {3}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "/v1/nothing|{}|404|Not Found",
                "/health|{}|405|Method Not Allowed",
                "/v1/chat/completions|{|400|json_invalid",
                "/v1/chat/completions|[]|400|JSON object",
                "/v1/chat/completions|{'messages':[]}|400|at least one message",
                "/v1/chat/completions|{'messages':[{'content':'x'}]}|400|role",
                "/v1/chat/completions|{'model':'other','messages':[{'role':'user','content':'x'}]}|404|`other` does not exist",
                "/v1/chat/completions|{'messages':[{'role':'user','content':'x'}],'stream_options':{}}|400|stream=True",
                "/v1/chat/completions|{'messages':[{'role':'user','content':'x'}],'continue_final_message':true}|400|Cannot set both",
                "/v1/chat/completions|{'messages':[{'role':'user','content':'x'}],'max_tokens':199}|400|too large: 199",
                "/v1/chat/completions|{'messages':[{'role':'user','content':'x'}],'max_tokens':'9'}|400|max_tokens",
                "/v1/chat/completions|{'messages':[{'role':'user','content':'x'}],'top_p':2}|400|top_p",
                "/v1/chat/completions|{'messages':[{'role':'user','content':'x'}],'top_logprobs':2}|400|logprobs",
                "/v1/completions|{'prompt':[]}|400|prompt",
                "/v1/completions|{'prompt':[1,99999]}|400|out of vocabulary",
                "/v1/completions|{'prompt':'x','n':0}|400|at least 1",
            })
    void refusesInTheShapeOfVllm(String path, String body, int status, String says) throws Exception {
        HttpResponse<String> response = Wire.post(server, path, body.replace('\'', '"'));
        JsonNode error = Wire.json(response.body()).path("error");
        assertThat(response.statusCode()).isEqualTo(status);
        assertThat(error.path("code").asInt()).isEqualTo(status);
        assertThat(error.path("message").asText()).contains(says);
        assertThat(error.has("type") && error.has("param")).isTrue();
        assertThat(server.stats().rejected()).isEqualTo(1);
    }

    @Test
    void refusesAPromptBeyondItsWindow() throws Exception {
        HttpResponse<String> response = Wire.post(server, Wire.CHAT, Wire.chat("x".repeat(300), ""));
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(response.body()).contains("maximum context length is 200 tokens", "BadRequestError");
    }

    @Test
    void insistsOnJson() throws Exception {
        HttpResponse<String> response = Wire.send(Wire.request(server, Wire.CHAT)
                .POST(BodyPublishers.ofString(Wire.chat("hi", "")))
                .build());
        assertThat(response.statusCode()).isEqualTo(400);
    }

    @Test
    void recordsARequestAsItCameIn() throws Exception {
        String raw = String.join(
                "\r\n",
                "GET /v1/models?a=%2F&b HTTP/1.1",
                "hOST: x",
                "X-Twice: 1",
                "Connection: close",
                "x-twice: 2",
                "",
                "");
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.getOutputStream().write(raw.getBytes(StandardCharsets.UTF_8));
            Wire.readToEnd(socket);
        }
        RecordedRequest request = server.requests("/v1/models").get(0);
        assertThat(request.target()).isEqualTo("/v1/models?a=%2F&b");
        assertThat(request.headers())
                .isEqualTo(List.of(
                        Map.entry("hOST", "x"),
                        Map.entry("X-Twice", "1"),
                        Map.entry("Connection", "close"),
                        Map.entry("x-twice", "2")));
        assertThat(request.headers("X-TWICE")).containsExactly("1", "2");
        assertThat(request.outcome()).isEqualTo(Outcome.COMPLETED);
    }

    @Test
    void answersPipelinedRequestsInOrder() throws Exception {
        String raw = Stream.of("/version", "/load", "/health")
                .map(path -> "GET " + path + " HTTP/1.1\r\nHost: x\r\n"
                        + (path.equals("/health") ? "Connection: close\r\n\r\n" : "\r\n"))
                .collect(Collectors.joining());
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        socket.getOutputStream().write(raw.getBytes(StandardCharsets.UTF_8));
        String text = Wire.readToEnd(socket).text();
        assertThat(text.indexOf("version\":")).isPositive().isLessThan(text.indexOf("server_load"));
        assertThat(text.split("HTTP/1.1 200", -1)).hasSize(4);
    }

    @Test
    void keepsNoMoreRequestsThanTold() throws Exception {
        try (VllmStandIn small = VllmStandIn.builder().keepRequests(2).start()) {
            for (int i = 0; i < 5; i++) {
                Wire.get(small, "/health");
            }
            assertThat(small.requests()).extracting(RecordedRequest::number).containsExactly(4L, 5L);
            assertThat(small.stats().requests()).isEqualTo(5);
        }
    }
}
