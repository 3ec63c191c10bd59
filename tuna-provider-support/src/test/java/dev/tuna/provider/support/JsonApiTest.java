package dev.tuna.provider.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.CapacityException;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.Secret;
import dev.tuna.spi.Credential;
import dev.tuna.spi.Journal;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.SecretStore;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonApiTest {

    private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final ScriptedServer server = new ScriptedServer();
    private final List<Duration> waits = new ArrayList<>();

    @AfterEach
    void close() {
        server.close();
    }

    @Test
    void sendsMethodEncodedPathAndQueryHeadersAndBody() {
        server.answer(200, "{\"id\":\"e-1\",\"new_field\":1}");

        Endpoint made = api().credential(Credential.bearer(Secret.of("k-123456")))
                .build()
                .post("create endpoint", "/v1/teams/{}/endpoints", "a b/ü")
                .query("dry run", "yes & no")
                .query("tag", "x")
                .query("tag", 2)
                .header("X-Trace", "t1")
                .json(new NewEndpoint("m", List.of(1, 2)))
                .send(Endpoint.class);

        assertThat(made).isEqualTo(new Endpoint("e-1"));
        assertThat(server.received()).singleElement().satisfies(request -> {
            assertThat(request.head())
                    .startsWith(
                            "POST /v1/teams/a%20b%2F%C3%BC/endpoints?dry%20run=yes%20%26%20no&tag=x&tag=2 HTTP/1.1\r\n")
                    .containsIgnoringCase("Authorization: Bearer k-123456\r\n")
                    .containsIgnoringCase("X-Trace: t1\r\n")
                    .containsIgnoringCase("Accept: application/json\r\n")
                    .containsIgnoringCase("Content-Type: application/json\r\n");
            assertThat(request.body()).isEqualTo("{\"model\":\"m\",\"sizes\":[1,2]}");
        });
    }

    @Test
    void aCallsOwnCredentialReplacesTheOneOfTheApi() {
        server.answer(200, "{}");
        api().credential(Credential.bearer(Secret.of("general-key")))
                .build()
                .get("read", "/x")
                .credential(new Credential("authorization", Secret.of("special-key")))
                .send();
        assertThat(server.received().get(0).head()).contains("special-key").doesNotContain("general-key");
    }

    @Test
    void theBaseUrlsPathIsKept() {
        server.answer(200, "{}");
        JsonApi.builder("acme", URI.create(server.uri() + "/api/v2/"), new Context())
                .build()
                .get("read", "/x")
                .send();
        assertThat(server.received().get(0).head()).startsWith("GET /api/v2/x HTTP/1.1");
    }

    @Test
    void anEmptyAnswerIsAMissingNode() {
        server.answer(204, "");
        JsonNode answer = api().build().delete("remove", "/x").send();
        assertThat(answer.isMissingNode()).isTrue();
    }

    @Test
    void notFoundIsEmptyWhenAskedForAndAnErrorOtherwise() {
        server.answer(404, "{}").answer(404, "{\"message\":\"no endpoint e-9\"}");
        JsonApi api = api().build();

        assertThat(api.get("read endpoint", "/e/{}", "e-9").sendUnlessMissing()).isEmpty();
        assertThatThrownBy(() -> api.get("read endpoint", "/e/{}", "e-9").send())
                .isInstanceOf(ProviderException.class)
                .hasMessageContaining("acme: read endpoint failed (HTTP 404)")
                .hasMessageContaining("no endpoint e-9");
    }

    @ParameterizedTest
    @CsvSource({
        "400, PROVIDER_REFUSED, false",
        "401, CREDENTIALS, false",
        "403, CREDENTIALS, false",
        "302, PROVIDER_REFUSED, false",
        "408, PROVIDER_REFUSED, true",
        "409, PROVIDER_REFUSED, false",
        "422, PROVIDER_REFUSED, false",
        "429, PROVIDER_REFUSED, true",
        "500, PROVIDER_REFUSED, true",
        "501, PROVIDER_REFUSED, false",
        "503, PROVIDER_REFUSED, true"
    })
    void statusesBecomeCodes(int status, ErrorCode code, boolean retryable) {
        server.answer(status, "{\"detail\":\"because\"}");
        ProviderException error = refusal(
                () -> api().retry(RetryPolicy.NONE).build().get("read", "/x").send());
        assertThat(error.code()).isEqualTo(code);
        assertThat(error.retryable()).isEqualTo(retryable);
        assertThat(error.httpStatus()).hasValue(status);
        assertThat(error).hasMessageContaining("because");
    }

    @Test
    void theMappingNamesWhatTheStatusDoesNotTell() {
        ErrorMapping mapping = (status, body) -> switch (body.path("error").asText()) {
            case "no_gpu" -> Optional.of(ErrorCode.CAPACITY);
            case "limit" -> Optional.of(ErrorCode.QUOTA);
            case "expired" -> Optional.of(ErrorCode.CREDENTIALS);
            default -> Optional.empty();
        };
        server.answer(503, "{\"error\":\"no_gpu\"}")
                .answer(429, "{\"error\":\"limit\"}")
                .answer(400, "{\"error\":\"expired\"}");
        JsonApi api = api().errors(mapping).build();

        CapacityException dry = catchThrowableOfType(
                CapacityException.class, () -> api.get("launch", "/x").send());
        assertThat(dry.code()).isEqualTo(ErrorCode.CAPACITY);
        assertThat(dry.retryable()).isTrue();
        assertThat(dry).hasMessageContaining("acme: launch failed (HTTP 503)").hasMessageContaining("no_gpu");

        CapacityException quota = catchThrowableOfType(
                CapacityException.class, () -> api.get("launch", "/x").send());
        assertThat(quota.code()).isEqualTo(ErrorCode.QUOTA);
        assertThat(quota.retryable()).isFalse();

        assertThat(refusal(() -> api.get("launch", "/x").send()).code()).isEqualTo(ErrorCode.CREDENTIALS);
        assertThat(waits).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {429, 502, 503, 504})
    void repeatsAnIdempotentCallAfterAPassingError(int status) {
        server.answer(status, "").answer(200, "{\"ok\":true}");
        JsonNode answer = api().build().get("read", "/x").send();
        assertThat(answer.path("ok").asBoolean()).isTrue();
        assertThat(waits).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 401, 404, 409, 500, 501})
    void doesNotRepeatWhatWouldFailAgain(int status) {
        server.answer(status, "").answer(200, "{}");
        refusal(() -> api().build().get("read", "/x").send());
        assertThat(server.received()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {500, 502, 503, 504})
    void doesNotRepeatAPostThatMayHaveTakenEffect(int status) {
        server.answer(status, "").answer(200, "{}");
        ProviderException error =
                refusal(() -> api().build().post("create", "/x").json(Map.of()).send());
        assertThat(error.retryable()).isTrue();
        assertThat(server.received()).hasSize(1);
    }

    @Test
    void repeatsAPostThatWasTurnedAwayUndone() {
        server.answer(429, "").answer(200, "{}");
        api().build().post("create", "/x").json(Map.of("a", 1)).send();
        assertThat(server.received())
                .hasSize(2)
                .allMatch(request -> request.body().equals("{\"a\":1}"));
    }

    @Test
    void repeatsAPostMarkedIdempotentAndNotOneThatIsNotWhenTheConnectionBreaks() {
        server.hangUp().answer(200, "{}");
        api().build().post("create", "/x").json(Map.of()).idempotent().send();
        assertThat(server.received()).hasSize(2);

        server.hangUp().answer(200, "{}");
        ProviderException error =
                refusal(() -> api().build().post("create", "/x").json(Map.of()).send());
        assertThat(error.code()).isEqualTo(ErrorCode.UNREACHABLE);
        assertThat(error.retryable()).isTrue();
        assertThat(error.httpStatus()).isEmpty();
        assertThat(server.received()).hasSize(3);
    }

    @Test
    void repeatsAnyCallThatNeverGotThrough() {
        URI nobody = server.uri();
        server.close();
        ProviderException error = refusal(() -> JsonApi.builder("acme", nobody, new Context())
                .sleeper(waits::add)
                .build()
                .post("create", "/x")
                .json(Map.of())
                .send());
        assertThat(error.code()).isEqualTo(ErrorCode.UNREACHABLE);
        assertThat(error).hasMessageContaining(nobody.toString()).hasMessageContaining("cannot connect");
        assertThat(waits).hasSize(2);
    }

    @Test
    void backsOffExponentiallyWithFullJitter() {
        for (int i = 0; i < 6; i++) {
            server.answer(503, "");
        }
        RetryPolicy policy = new RetryPolicy(6, Duration.ofMillis(100), Duration.ofMillis(500), Duration.ofSeconds(10));
        refusal(() ->
                api().retry(policy).random(() -> 0.5).build().get("read", "/x").send());
        assertThat(waits).extracting(Duration::toMillis).containsExactly(50L, 100L, 200L, 250L, 250L);

        waits.clear();
        server.answer(503, "").answer(200, "{}");
        api().retry(policy).random(() -> 0).build().get("read", "/x").send();
        assertThat(waits).containsExactly(Duration.ZERO);
    }

    @Test
    void waitsAsLongAsTheProviderAsks() {
        server.answer(429, "", "Retry-After: 7").answer(429, "", "Retry-After: Sun, 01 Mar 2026 12:00:09 GMT");
        server.answer(200, "{}");
        api().build().get("read", "/x").send();
        assertThat(waits).containsExactly(Duration.ofSeconds(7), Duration.ofSeconds(9));
    }

    @Test
    void waitsAsLongAsABodySaysUnlessTheHeaderSaysOtherwise() {
        ErrorMapping mapping = new ErrorMapping() {
            @Override
            public Optional<ErrorCode> code(int status, JsonNode body) {
                return Optional.empty();
            }

            @Override
            public Optional<Duration> retryAfter(JsonNode body) {
                return body.has("wait")
                        ? Optional.of(Duration.ofSeconds(body.path("wait").asLong()))
                        : Optional.empty();
            }
        };
        server.answer(429, "{\"wait\":5}")
                .answer(429, "{\"wait\":5}", "Retry-After: 3")
                .answer(200, "{}");
        api().errors(mapping).random(() -> 0).build().get("read", "/x").send();
        assertThat(waits).containsExactly(Duration.ofSeconds(5), Duration.ofSeconds(3));
    }

    @Test
    void handsALongRetryAfterToTheCaller() {
        server.answer(429, "", "Retry-After: 3600").answer(200, "{}");
        ProviderException error = refusal(() -> api().build().get("read", "/x").send());
        assertThat(error.retryAfter()).hasValue(Duration.ofHours(1));
        assertThat(error.retryable()).isTrue();
        assertThat(waits).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"soon", "-1", "NaN", ""})
    void anUnreadableRetryAfterCountsAsNone(String value) {
        server.answer(429, "", "Retry-After: " + value).answer(200, "{}");
        api().random(() -> 0.5).build().get("read", "/x").send();
        assertThat(waits).containsExactly(Duration.ofMillis(125));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"})
    void theTimeoutCoversTheWholeAnswer(String start) {
        server.stallAfter(start);
        ProviderException error = refusal(() -> api().retry(RetryPolicy.NONE)
                .build()
                .get("read", "/x")
                .timeout(Duration.ofMillis(200))
                .send());
        assertThat(error.code()).isEqualTo(ErrorCode.UNREACHABLE);
        assertThat(error.retryable()).isTrue();
        assertThat(error).hasMessageContaining("PT0.2S");
    }

    @Test
    void anAnswerBeyondTheBoundIsRefused() {
        server.answer(200, "[" + "1,".repeat(600) + "1]");
        ProviderException error = refusal(
                () -> api().maxResponseBytes(1024).build().get("read", "/x").send());
        assertThat(error).hasMessageContaining("larger than 1024 bytes");
        assertThat(error.retryable()).isFalse();
        assertThat(server.received()).hasSize(1);
    }

    @Test
    void anAnswerOfExactlyTheBoundIsRead() {
        String body = "\"" + "x".repeat(1022) + "\"";
        server.answer(200, body);
        assertThat(api().maxResponseBytes(1024).build().get("read", "/x").send().asText())
                .hasSize(1022);
    }

    @Test
    void readsWhatAStreamThatStaysOpenHasToSay() {
        server.stallAfter("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
                + "id: 1\ndata: {\"line\":\"one\"}\n\n: still there\n\ndata: two\r\ndata:lines\r\n\r\ndata: half");

        assertThat(stream(PATIENCE)).containsExactly("{\"line\":\"one\"}", "two\nlines");
        assertThat(server.received().get(0).head()).containsIgnoringCase("Accept: text/event-stream\r\n");
    }

    @Test
    void aStreamThatEndsIsReadToItsEnd() {
        server.answer(200, "data: all\n\n");
        assertThat(stream(PATIENCE)).containsExactly("all");
    }

    @Test
    void aStreamThatSaysNothingIsEmptyAndSoIsOneThatIsMissing() {
        server.stallAfter("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
        server.answer(404, "{}");
        assertThat(stream(Duration.ofMillis(300))).isEmpty();
        assertThat(stream(PATIENCE)).isEmpty();
    }

    @Test
    void aStreamThatIsRefusedOrNeverBeginsIsAnError() {
        server.answer(401, "{}");
        assertThatThrownBy(() -> stream(PATIENCE)).hasMessageContaining("HTTP 401");
        server.stallAfter("").stallAfter("").stallAfter("");
        assertThatThrownBy(() -> stream(Duration.ofMillis(50)))
                .hasMessageContaining("no complete answer within PT0.05S");
    }

    private List<String> stream(Duration timeout) {
        return api().build().get("read logs", "/logs").timeout(timeout).readEvents();
    }

    @Test
    void interruptionEndsTheCallAndKeepsTheFlag() throws InterruptedException {
        CountDownLatch arrived = new CountDownLatch(1);
        CountDownLatch never = new CountDownLatch(1);
        server.then(out -> {
            arrived.countDown();
            never.await();
        });
        CompletableFuture<ProviderException> error = new CompletableFuture<>();
        CompletableFuture<Boolean> flag = new CompletableFuture<>();
        Thread caller = new Thread(() -> {
            error.complete(refusal(
                    () -> api().timeout(PATIENCE).build().get("read", "/x").send()));
            flag.complete(Thread.currentThread().isInterrupted());
        });
        caller.start();
        arrived.await();
        caller.interrupt();
        caller.join(PATIENCE.toMillis());
        never.countDown();

        assertThat(error.join().code()).isEqualTo(ErrorCode.UNREACHABLE);
        assertThat(flag.join()).isTrue();
    }

    @Test
    void interruptionWhileWaitingEndsTheCallAndKeepsTheFlag() {
        server.answer(503, "").answer(200, "{}");
        Sleeper interrupted = wait -> {
            throw new InterruptedException();
        };
        refusal(() -> api().sleeper(interrupted).build().get("read", "/x").send());
        assertThat(Thread.interrupted()).isTrue();
        assertThat(server.received()).hasSize(1);
    }

    @Test
    void secretsOfTheRequestNeverComeBackInAnError() {
        Secret header = Secret.of("Bearer plain-words-as-key");
        Secret inBody = Secret.of("correct horse \"battery\"");
        Secret known = Secret.of("staple");
        server.answer(
                400,
                "{\"echo\":{\"auth\":\"plain-words-as-key\",\"env\":\"correct horse \\\"battery\\\"\",\"x\":\"a staple\"}}");
        ProviderException error = refusal(() -> api().credential(new Credential("Authorization", header))
                .redact(List.of(known))
                .build()
                .post("create", "/x")
                .json(Map.of("env", inBody))
                .send());

        assertThat(server.received().get(0).body()).isEqualTo("{\"env\":\"correct horse \\\"battery\\\"\"}");
        assertThat(everythingIn(error))
                .contains("echo")
                .doesNotContain("plain-words")
                .doesNotContain("battery")
                .doesNotContain("staple");
    }

    @Test
    void whatIsSaidToBeSecretIsHiddenInWhateverIsQuoted() {
        server.answer(200, "<p>otter marmalade</p>");
        assertThatThrownBy(() -> api().build()
                        .get("list endpoints", "/e")
                        .redact(List.of(Secret.of("otter marmalade")))
                        .send())
                .hasMessageContaining("<p>***</p>");
    }

    @Test
    void aSecretNextToAnUnreadableAnswerStaysHidden() {
        Secret key = Secret.of("plain-words-as-key");
        JsonApi api = api().credential(Credential.bearer(key)).build();
        server.answer(200, "<html>plain-words-as-key</html>").answer(200, "{\"id\":{\"k\":\"plain-words-as-key\"}}");

        assertThat(everythingIn(refusal(() -> api.get("read", "/x").send())))
                .contains("not JSON")
                .doesNotContain("plain-words");
        assertThat(everythingIn(refusal(() -> api.get("read", "/x").send(Endpoint.class))))
                .contains("'id'")
                .doesNotContain("plain-words");
    }

    @Test
    void aSecretThatCannotStandInAHeaderIsNamedButNotShown() {
        Secret broken = Secret.of("plain-words-as-key\n");
        assertThatThrownBy(() -> api().credential(new Credential("X-Key", broken))
                        .build()
                        .get("read", "/x")
                        .send())
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("X-Key")
                .satisfies(error -> assertThat(everythingIn(error)).doesNotContain("plain-words"));
    }

    @Test
    void longErrorsAreCutShort() {
        server.answer(400, "no ".repeat(5000));
        assertThat(refusal(() -> api().build().get("read", "/x").send()).getMessage())
                .hasSizeLessThan(1100)
                .endsWith("…");
    }

    @Test
    void refusesUrlsAndPathsThatWouldMeanSomethingElse() {
        JsonApi api = api().build();
        assertThatThrownBy(() -> api.delete("remove", "/e/{}", "")).hasMessageContaining("/e/{}");
        assertThatThrownBy(() -> api.delete("remove", "/e/{}", "..")).hasMessageContaining("'..'");
        assertThatThrownBy(() -> api.get("read", "/e/{}")).hasMessageContaining("more places");
        assertThatThrownBy(() -> api.get("read", "/e", "x")).hasMessageContaining("fewer places");
        assertThatThrownBy(() -> api.get("read", "e")).hasMessageContaining("start with /");
        for (String url : List.of("ftp://x", "http:///x", "https://x?key=1", "https://user:pass@x")) {
            assertThatThrownBy(() -> JsonApi.builder("acme", URI.create(url), new Context()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageNotContainingAny("pass", "key=1");
        }
    }

    private JsonApi.Builder api() {
        return JsonApi.builder("acme", server.uri(), new Context())
                .timeout(PATIENCE)
                .sleeper(waits::add);
    }

    private static ProviderException refusal(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        ProviderException error = catchThrowableOfType(ProviderException.class, call);
        assertThat(error).isNotNull();
        return error;
    }

    private static String everythingIn(Throwable error) {
        StringWriter text = new StringWriter();
        error.printStackTrace(new PrintWriter(text));
        return text.toString();
    }

    record NewEndpoint(String model, List<Integer> sizes) {}

    record Endpoint(String id) {}

    /** A context of which only client and clock are asked for. */
    static final class Context implements ProviderContext {
        private final HttpClient http = HttpClient.newHttpClient();

        @Override
        public String ownerId() {
            return "owner";
        }

        @Override
        public Map<String, String> settings() {
            return Map.of();
        }

        @Override
        public SecretStore secrets() {
            throw new UnsupportedOperationException();
        }

        @Override
        public HttpClient http() {
            return http;
        }

        @Override
        public InstantSource clock() {
            return InstantSource.fixed(NOW);
        }

        @Override
        public Journal journal() {
            throw new UnsupportedOperationException();
        }
    }
}
