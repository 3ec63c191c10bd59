package dev.tuna.router.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.router.http.RequestTarget.Kind;
import io.netty.handler.codec.http.HttpMethod;
import java.net.URI;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PathRulesTest {

    @ParameterizedTest(name = "{0} {1}")
    @DisplayName("R-13 R-14 paths and queries go through byte for byte")
    @CsvSource({
        "POST, /v1/chat/completions, INFERENCE, /v1/chat/completions, /v1/chat/completions",
        "POST, /v1/v1/chat/completions, INFERENCE, /v1/chat/completions, /v1/chat/completions",
        "POST, /v1/v1/v1/completions?a=%20b%2Bc+d&&=, INFERENCE, /v1/completions, /v1/completions?a=%20b%2Bc+d&&=",
        "POST, /v1/embeddings?x=//../%2f%2e%00, INFERENCE, /v1/embeddings, /v1/embeddings?x=//../%2f%2e%00",
        "POST, /v1/completions?, INFERENCE, /v1/completions, /v1/completions?",
        "POST, /v1/messages/count_tokens, INFERENCE, /v1/messages/count_tokens, /v1/messages/count_tokens",
        "POST, /v2/rerank, INFERENCE, /v2/rerank, /v2/rerank",
        "POST, /v1/responses, INFERENCE, /v1/responses, /v1/responses",
        "GET, /v1/responses/resp_1?stream=true, STORED_RESPONSE, /v1/responses/resp_1, /v1/responses/resp_1?stream=true",
        "POST, /v1/responses/resp_1/cancel, STORED_RESPONSE, /v1/responses/resp_1/cancel, /v1/responses/resp_1/cancel",
        "GET, /v1/models, MODELS, /v1/models, /v1/models",
        "HEAD, /v1/models, MODELS, /v1/models, /v1/models",
        "GET, /v1/models/org/name-7b, MODEL, org/name-7b, /v1/models/org/name-7b",
        "GET, /v1/models/org%2Fn%C3%A9, MODEL, org/né, /v1/models/org%2Fn%C3%A9",
        "GET, /router/health, ADMIN, /router/health, /router/health",
        "DELETE, /router, ADMIN, /router, /router",
    })
    void resolves(String method, String uri, Kind kind, String path, String target) throws Exception {
        assertThat(PathRules.resolve(HttpMethod.valueOf(method), uri)).isEqualTo(new RequestTarget(kind, path, target));
    }

    @ParameterizedTest
    @DisplayName("R-05 R-06 what is no model call never reaches a backend")
    @ValueSource(
            strings = {
                "/",
                "/metrics",
                "/load",
                "/invocations",
                "/sleep",
                "/pause",
                "/health",
                "/ping",
                "/version",
                "/docs",
                "/openapi.json",
                "/favicon.ico",
                "/tokenize",
                "/pooling",
                "/score",
                "/v1",
                "/v1/",
                "/v1/load",
                "/v1/chat/completions/",
                "/v1/Chat/completions",
                "/V1/completions",
                "/v1/chat%20completions",
                "/routers",
                "/inference/v1/generate",
                "/v1/models/%ff",
                "/v1/models/%4",
                "/v1/responses/",
                "/v1/responses//cancel",
                "/v1/responses/a/b",
                "/v1/responses/a/input_items",
                "/v1/load_lora_adapter"
            })
    void doesNotKnowOtherPaths(String uri) {
        assertThatThrownBy(() -> PathRules.resolve(HttpMethod.GET, uri))
                .isInstanceOfSatisfying(
                        RefusedException.class,
                        refused -> assertThat(refused.error().status()).isIn(uri.contains("//") ? 400 : 404));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://10.0.0.1/v1/completions",
                "*",
                "",
                "v1/completions",
                "/v1//completions",
                "//evil/v1/completions",
                "/v1/./completions",
                "/v1/../metrics",
                "/v1/..",
                "/v1/%2e%2e/metrics",
                "/v1/%2E./metrics",
                "/v1%2fcompletions",
                "/v1%2Fcompletions",
                "/v1/chat%5ccompletions",
                "/v1\\completions",
                "/v1/completions#x",
                "/v1/completions%00",
                "/v1/com pletions",
                "/v1/completions\t",
                "/v1/complétions",
                "/v1/v1//completions",
                "/router/%2e%2e/v1"
            })
    void refusesWhatCouldBeReadInTwoWays(String uri) {
        assertThatThrownBy(() -> PathRules.resolve(HttpMethod.POST, uri))
                .isInstanceOfSatisfying(
                        RefusedException.class,
                        refused -> assertThat(refused.error().status()).isEqualTo(400));
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /v1/chat/completions, POST",
        "OPTIONS, /v1/chat/completions, POST",
        "POST, /v1/models, 'GET, HEAD'",
        "DELETE, /v1/models/m, 'GET, HEAD'",
        "DELETE, /v1/responses/r, 'GET, HEAD'",
        "GET, /v1/responses/r/cancel, POST"
    })
    void namesTheMethodsThereAre(String method, String uri, String allow) {
        assertThatThrownBy(() -> PathRules.resolve(HttpMethod.valueOf(method), uri))
                .isInstanceOfSatisfying(RefusedException.class, refused -> {
                    assertThat(refused.error().status()).isEqualTo(405);
                    assertThat(refused.error().allow()).contains(allow);
                });
    }

    @ParameterizedTest
    @CsvSource({
        "http://h, /v1/completions?q=1, /v1/completions?q=1",
        "http://h/, /v1/completions, /v1/completions",
        "http://h/v1, /v1/completions, /v1/completions",
        "http://h/v1/, /v1/completions, /v1/completions",
        "http://h/v1, /v2/rerank, /v1/v2/rerank",
        "https://h/v2/id/openai, /v1/completions, /v2/id/openai/v1/completions",
        "https://h/v2/id/openai/v1, /v1/completions, /v2/id/openai/v1/completions",
        "https://h/a%20b, /v1/completions, /a%20b/v1/completions",
    })
    void joinsABackendsBasePath(URI base, String target, String sent) {
        assertThat(PathRules.join(base, target)).isEqualTo(sent);
    }
}
