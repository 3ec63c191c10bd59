package dev.tuna.router.proxy;

import static dev.tuna.router.proxy.Bench.events;
import static dev.tuna.router.proxy.Bench.json;
import static dev.tuna.router.proxy.Bench.serverless;
import static dev.tuna.router.proxy.Bench.spot;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Secret;
import dev.tuna.api.Tier;
import dev.tuna.router.BackendFailure;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RoutePolicy;
import dev.tuna.router.RouterConfig;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.spi.UnservedAnswer;
import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.Fault.Moment;
import dev.tuna.testkit.vllm.RecordedRequest;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who goes on with a stream that broke or is about to, who does not, and what the client gets in each case. */
class ContinuationTest {

    private static final String QUESTION = "Where does the river go?";
    private static final String USAGE = ",\"stream\":true,\"stream_options\":{\"include_usage\":true}";
    private static final String CHUNKED =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

    private final Bench bench = new Bench();
    private final VllmStandIn replica = bench.standIn();
    private final VllmStandIn cloud = bench.standIn();

    @AfterEach
    void close() {
        bench.close();
    }

    private void route() {
        bench.route(List.of(serverless("cloud", cloud.uri())), List.of(spot("spot-1", replica.uri())));
    }

    private static String chat(String more) {
        return Bench.chat(QUESTION, more);
    }

    private SpliceRun unbroken(String body) throws Exception {
        return SpliceRun.of(Bench.client()
                .send(
                        java.net.http.HttpRequest.newBuilder(java.net.URI.create(cloud.uri() + Bench.CHAT))
                                .header("Content-Type", "application/json")
                                .POST(java.net.http.HttpRequest.BodyPublishers.ofString(body))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .body());
    }

    private void assertContinued(HttpResponse<String> answer, String body) throws Exception {
        assertThat(SpliceRun.of(answer.body())).as(answer.body()).isEqualTo(unbroken(body));
    }

    private static void assertHonest(HttpResponse<String> answer) {
        assertThat(answer.statusCode()).isEqualTo(200);
        List<String> events = events(answer.body());
        assertThat(events).doesNotContain("[DONE]").hasSizeGreaterThan(1);
        assertThat(json(events.get(events.size() - 1))
                        .path("error")
                        .path("message")
                        .asText())
                .isNotEmpty();
        assertThat(answer.body()).doesNotContain("\"abort\"");
    }

    // --- what is continued ---

    @Test
    @DisplayName("R1 R17 a stream goes on where it broke, and the client can see by what method")
    void goesOnWhereItBroke() throws Exception {
        replica.inject(Fault.reset(Moment.atToken(9)));
        route();
        HttpResponse<String> answer = bench.post(chat(USAGE));
        assertContinued(answer, chat(USAGE));
        assertThat(answer.body()).containsOnlyOnce(": continued by chat_tokens\n\n");
        var traffic = bench.settled();
        assertThat(traffic.succeeded()).isEqualTo(1);
        assertThat(traffic.failedOver()).isEqualTo(1);
        assertThat(traffic.byTier()).containsEntry(Tier.SERVERLESS, 1L);
        assertThat(bench.router.metrics())
                .contains(
                        "tuna_router_continuations_total{deployment=\"tuna-1\",method=\"chat_tokens\",result=\"continued\"} 1");
    }

    @Test
    @DisplayName("a server that ignores the ids is found out before a byte is passed on, and not asked that way again")
    void silentlyIgnoredIds() throws Exception {
        replica.inject(Fault.eof(Moment.atToken(12)));
        VllmStandIn old =
                bench.own(VllmStandIn.builder().honoursPromptTokenIds(false).start());
        bench.route(List.of(serverless("old", old.uri())), List.of(spot("spot-1", replica.uri())));
        for (int i = 0; i < 2; i++) {
            HttpResponse<String> answer = bench.post(chat(USAGE));
            assertContinued(answer, chat(USAGE));
            assertThat(answer.body()).contains(": continued by completion_tokens");
        }
        assertThat(old.requests(Bench.CHAT)).hasSize(1);
        assertThat(old.requests("/v1/completions")).hasSize(2);
        assertThat(old.requests("/version")).hasSize(1);
    }

    @Test
    @DisplayName("a server whose version is too old is not even asked")
    void oldVersion() throws Exception {
        replica.inject(Fault.eof(Moment.atToken(12)));
        VllmStandIn old = bench.own(VllmStandIn.builder()
                .version("0.19.1")
                .honoursPromptTokenIds(false)
                .start());
        bench.route(List.of(serverless("old", old.uri())), List.of(spot("spot-1", replica.uri())));
        assertContinued(bench.post(chat(USAGE)), chat(USAGE));
        assertThat(old.requests(Bench.CHAT)).isEmpty();
    }

    @Test
    void goesOnAgainWhenItBreaksAgain() throws Exception {
        replica.inject(Fault.reset(Moment.atToken(5)));
        VllmStandIn second = bench.standIn();
        second.inject(Fault.abort(7));
        VllmStandIn third = bench.standIn();
        third.inject(Fault.errorEvent(6));
        bench.route(
                List.of(
                        serverless("second", second.uri()),
                        serverless("third", third.uri()),
                        serverless("cloud", cloud.uri())),
                List.of(spot("spot-1", replica.uri())));
        HttpResponse<String> answer = bench.post(chat(USAGE + ",\"return_token_ids\":true"));
        assertContinued(answer, chat(USAGE + ",\"return_token_ids\":true"));
        assertThat(answer.body().split(": continued by", -1)).hasSize(4);
    }

    @Test
    @DisplayName("a stream that breaks again and again ends in an error once it has moved as often as it may")
    void boundedMoves() throws Exception {
        VllmStandIn second = bench.standIn();
        for (VllmStandIn standIn : List.of(replica, second, cloud)) {
            standIn.inject(Fault.eof(Moment.atToken(4)));
        }
        bench.route(
                List.of(serverless("second", second.uri()), serverless("cloud", cloud.uri())),
                List.of(spot("spot-1", replica.uri())));
        assertHonest(bench.post(chat(USAGE)));
        assertThat(bench.settled().failed()).isEqualTo(1);
    }

    @Test
    @DisplayName("the only serverless endpoint may go on with what it broke itself")
    void sameEndpointAgain() throws Exception {
        replica.inject(Fault.eof(Moment.atToken(9)).once());
        bench.route(List.of(serverless("only", replica.uri())), List.of());
        assertContinued(bench.post(chat(USAGE)), chat(USAGE));
        assertThat(replica.requests(Bench.CHAT)).hasSize(2);
    }

    @Test
    @DisplayName("what is sent on resume: tokens counted off, a new seed, the ids, and nothing twice")
    void rewrites() throws Exception {
        replica.inject(Fault.eof(Moment.atToken(10)));
        route();
        bench.post(
                chat(",\"stream\":true,\"max_tokens\":30,\"min_tokens\":15,\"seed\":5,\"temperature\":0,\"top_p\":0.9,"
                        + "\"stop\":[\"x\"],\"user\":\"u\""));
        var first = json(replica.requests(Bench.CHAT).get(0).bodyText());
        assertThat(first.path("return_token_ids").asBoolean()).isTrue();
        RecordedRequest resumed = cloud.requests(Bench.CHAT).get(0);
        var sent = json(resumed.bodyText());
        int generated = 30 - sent.path("max_completion_tokens").asInt();
        assertThat(generated).isBetween(6, 10);
        assertThat(sent.has("max_tokens")).isFalse();
        assertThat(sent.path("min_tokens").asInt()).isEqualTo(15 - generated);
        assertThat(sent.path("seed").asLong()).isNotEqualTo(5);
        assertThat(sent.path("top_p").asDouble()).isEqualTo(0.9);
        assertThat(sent.path("stop")).hasSize(1);
        assertThat(sent.path("user").asText()).isEqualTo("u");
        assertThat(sent.path("messages")).isEqualTo(first.path("messages"));
        assertThat(sent.path("kv_transfer_params").path("prompt_token_ids").size())
                .isEqualTo(20 + generated);
    }

    @Test
    @DisplayName("everything but the end mark had come: nobody is asked")
    void onlyTheEndIsMissing() throws Exception {
        RawBackend endless = bench.own(new RawBackend(peer -> {
            peer.request();
            peer.say(CHUNKED);
            peer.chunk(chunk("\"delta\":{\"role\":\"assistant\",\"content\":\"\"}", ",\"prompt_token_ids\":[1,2,3]"));
            peer.chunk(chunk("\"delta\":{\"content\":\"all\"},\"finish_reason\":\"stop\",\"token_ids\":[7,8]", ""));
            peer.reset();
        }));
        bench.route(List.of(serverless("cloud", cloud.uri())), List.of(spot("spot-1", endless.uri())));
        SpliceRun run = SpliceRun.of(bench.post(chat(USAGE)).body());
        assertThat(run.flaw()).isEmpty();
        assertThat(run.text()).isEqualTo("all");
        assertThat(run.usage()).isEqualTo("{\"prompt_tokens\":3,\"total_tokens\":5,\"completion_tokens\":2}");
        assertThat(cloud.stats().requests()).isZero();
        assertThat(bench.settled().succeeded()).isEqualTo(1);
    }

    @Test
    @DisplayName("an answer that is as long as it may be is ended by the router")
    void lengthReached() throws Exception {
        RawBackend endless = bench.own(new RawBackend(peer -> {
            peer.request();
            peer.say(CHUNKED);
            peer.chunk(
                    chunk("\"delta\":{\"content\":\"two tokens\"},\"token_ids\":[7,8]", ",\"prompt_token_ids\":[1]"));
            peer.reset();
        }));
        bench.route(List.of(serverless("cloud", cloud.uri())), List.of(spot("spot-1", endless.uri())));
        List<String> events =
                events(bench.post(chat(",\"stream\":true,\"max_tokens\":2")).body());
        assertThat(events).last().isEqualTo("[DONE]");
        assertThat(json(events.get(1)).at("/choices/0/finish_reason").asText()).isEqualTo("length");
        assertThat(cloud.stats().requests()).isZero();
    }

    private static String chunk(String choice, String more) {
        return "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":"
                + "[{\"index\":0," + choice + "}]" + more + "}\n\n";
    }

    @Test
    @DisplayName("where each token begins in the text is counted on across the seam, and across the next one")
    void textOffsets() throws Exception {
        replica.inject(Fault.reset(Moment.atToken(9)));
        VllmStandIn second = bench.standIn();
        second.inject(Fault.reset(Moment.atToken(11)));
        bench.route(
                List.of(serverless("second", second.uri()), serverless("cloud", cloud.uri())),
                List.of(spot("spot-1", replica.uri())));
        String body = "{\"model\":\"" + Bench.MODEL + "\",\"prompt\":\"the sea\",\"logprobs\":1,\"max_tokens\":60,"
                + "\"ignore_eos\":true,\"stream\":true,\"stop\":\"not to be found\"}";
        HttpResponse<String> broken =
                Bench.client().send(bench.request("/v1/completions", body), HttpResponse.BodyHandlers.ofString());
        HttpResponse<String> whole = Bench.client()
                .send(
                        bench.request("/v1/completions", body, "x-tuna-tier", "serverless"),
                        HttpResponse.BodyHandlers.ofString());
        assertThat(broken.body().split(": continued by", -1)).hasSize(3);
        assertThat(whole.body().split(": continued by", -1)).hasSize(2);
        SpliceRun run = SpliceRun.of(broken.body());
        assertThat(run).as(broken.body()).isEqualTo(SpliceRun.of(whole.body()));
        int last = run.logprobs().get(59).path("offset").intValue();
        assertThat(last).isGreaterThan(100);
    }

    @Test
    @DisplayName("what all events have in common is read from the first one even if that is too long to be held")
    void longFirstEvent() throws Exception {
        VllmStandIn first = bench.own(patient());
        VllmStandIn second = bench.own(patient());
        String body = Bench.chat("a long question ".repeat(25_000), USAGE + ",\"return_token_ids\":true");
        bench.route(List.of(serverless("second", second.uri())), List.of(spot("spot-1", first.uri())));
        SpliceRun whole = SpliceRun.of(bench.post(body).body());
        first.inject(Fault.eof(Moment.atToken(9)));
        HttpResponse<String> answer = bench.post(body);
        assertThat(events(answer.body()).get(0)).hasSizeGreaterThan(256 << 10);
        assertThat(answer.body()).contains(": continued by");
        assertThat(SpliceRun.of(answer.body())).isEqualTo(whole);
    }

    private static VllmStandIn patient() {
        return VllmStandIn.builder().maxModelLen(200_000).start();
    }

    @Test
    @DisplayName("what has no data does not count as the first event")
    void pingFirst() throws Exception {
        RawBackend pinging = bench.own(new RawBackend(peer -> {
            peer.request();
            peer.say(CHUNKED);
            peer.chunk("event: ping\n\n");
            peer.chunk(
                    chunk("\"delta\":{\"content\":\"let me \"},\"token_ids\":[7,8]", ",\"prompt_token_ids\":[1,2,3]"));
            peer.reset();
        }));
        RawBackend next = goingOn(
                chunk("\"delta\":{\"content\":\"see\"},\"token_ids\":[9],\"finish_reason\":\"stop\"", "")
                        .replace("\"c\"", "\"other\""),
                "data: [DONE]\n\n");
        bench.route(List.of(serverless("next", next.uri())), List.of(spot("spot-1", pinging.uri())));
        String answer = bench.post(chat(",\"stream\":true")).body();
        assertThat(answer).contains("see", "data: [DONE]").doesNotContain("other");
    }

    @Test
    @DisplayName("a stream of which nobody can tell what its events have in common is not continued")
    void unreadableFirstEvent() throws Exception {
        RawBackend odd = bench.own(new RawBackend(peer -> {
            peer.request();
            peer.say(CHUNKED);
            peer.chunk("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + "long ".repeat(200)
                    + "\"},\"token_ids\":[7,8]}],\"prompt_token_ids\":[1,2,3],\"id\":\"c\"}\n\n");
            peer.reset();
        }));
        bench.route(List.of(serverless("cloud", cloud.uri())), List.of(spot("spot-1", odd.uri())));
        assertHonest(bench.post(chat(",\"stream\":true")));
        assertThat(cloud.stats().requests()).isZero();
    }

    /** A router that may keep so much of all streams together; three quarters of it while they run. */
    private static Bench tight(long bytes) {
        return new Bench(RouterConfig.builder()
                .port(0)
                .maxContinuationBytes(bytes / 3 * 4)
                .build());
    }

    @Test
    @DisplayName("prompt ids for which there was no memory are asked for again, once there is")
    void promptIdsAreRelearnt() throws Exception {
        CountDownLatch gate = new CountDownLatch(1);
        RawBackend hoarder = bench.own(new RawBackend(peer -> {
            peer.request();
            peer.say(CHUNKED);
            peer.chunk(chunk("\"delta\":{\"content\":\"a\"}", ""));
            gate.await();
            peer.chunk(chunk("\"delta\":{},\"finish_reason\":\"stop\"", "") + "data: [DONE]\n\n");
            peer.say("0\r\n\r\n");
        }));
        VllmStandIn doomed = bench.own(slow());
        String large = Bench.chat("x".repeat(200_000), ",\"stream\":true");
        String body = Bench.chat("a long question ".repeat(400), USAGE);
        try (Bench narrow = tight(large.length() + body.length() + 2048);
                Socket other = narrow.socket()) {
            narrow.route(
                    List.of(serverless("cloud", cloud.uri())),
                    List.of(
                            RouteBackend.of("od-1", Tier.ON_DEMAND, BackendAddress.of(hoarder.uri())),
                            spot("spot-1", doomed.uri())));
            Bench.send(other, Bench.raw(large, "x-tuna-tier: on_demand"));
            Bench.readUntil(other, "\n\n");
            var answer = Bench.client()
                    .sendAsync(
                            narrow.request(Bench.CHAT, body, "x-tuna-tier", "spot"),
                            HttpResponse.BodyHandlers.ofString());
            Bench.await("some tokens", () -> doomed.stats().generationTokens() > 8);
            gate.countDown();
            Bench.readUntil(other, "[DONE]\n\n");
            VllmStandIn next = bench.standIn();
            narrow.route(
                    List.of(serverless("cloud", cloud.uri())),
                    List.of(spot("spot-1", doomed.uri()), spot("spot-2", next.uri())));
            doomed.kill();
            assertContinued(answer.get(), body);
            assertThat(next.requests("/tokenize")).hasSize(1);
        }
    }

    @Test
    @DisplayName("a stream that may be kept but not asked for again for want of memory ends in an error")
    void noMemoryToGoOn() throws Exception {
        String body = Bench.chat("a long question ".repeat(400), USAGE);
        try (Bench narrow = tight(body.length() + (9 << 10))) {
            narrow.route(List.of(serverless("cloud", cloud.uri())), List.of(spot("spot-1", replica.uri())));
            replica.inject(Fault.eof(Moment.atToken(9)));
            assertHonest(narrow.post(body));
            assertThat(narrow.settled().failed()).isEqualTo(1);
            assertThat(replica.requests(Bench.CHAT).get(0).bodyText()).contains("return_token_ids");
        }
        assertThat(cloud.stats().requests()).isZero();
    }

    @Test
    @DisplayName("an answer to a question that is longer than there is memory for is none")
    void answerTooLong() throws Exception {
        RawBackend talkative = bench.own(new RawBackend(peer -> {
            for (String request = peer.request(); !request.isEmpty(); request = peer.request()) {
                if (request.startsWith("GET /version")) {
                    peer.say("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
                } else {
                    peer.say("HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n" + "[1,".repeat(133_333) + "]");
                }
            }
        }));
        String body = chat(USAGE + ",\"stop\":\"a long stop\"");
        try (Bench narrow = tight(1 << 20)) {
            narrow.route(
                    List.of(serverless("talkative", talkative.uri()), serverless("cloud", cloud.uri())),
                    List.of(spot("spot-1", replica.uri())));
            replica.inject(Fault.eof(Moment.atToken(20)));
            assertContinued(narrow.post(body), body);
            assertThat(talkative.requests).last().asString().startsWith("POST /detokenize");
        }
    }

    @Test
    @DisplayName("behind a seam an event without an end is a break, and takes no memory without bound")
    void endlessEventBehindTheSeam() throws Exception {
        RawBackend next = goingOn(
                chunk("\"delta\":{\"content\":\"see\"},\"token_ids\":[9]", ""),
                "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + "x".repeat(300 << 10));
        bench.route(
                List.of(serverless("next", next.uri())),
                List.of(spot("spot-1", breaking().uri())));
        HttpResponse<String> answer = bench.post(chat(",\"stream\":true"));
        assertHonest(answer);
        assertThat(answer.body()).contains("see").doesNotContain("xx");
    }

    @Test
    @DisplayName("without memory to keep it a stream is served and not continued")
    void withoutMemory() throws Exception {
        RouterConfig tight =
                RouterConfig.builder().port(0).maxContinuationBytes(10).build();
        try (Bench narrow = new Bench(tight)) {
            narrow.route(List.of(serverless("cloud", cloud.uri())), List.of(spot("spot-1", replica.uri())));
            assertContinued(narrow.post(chat(USAGE)), chat(USAGE));
            replica.inject(Fault.eof(Moment.atToken(9)));
            assertHonest(narrow.post(chat(USAGE)));
        }
    }

    private void bestEffort(VllmStandIn... rest) {
        var policy = Bench.POLICY.toBuilder()
                .continuation(new RoutePolicy.Continuation(
                        RoutePolicy.Continuation.Mode.BEST_EFFORT, 3, Duration.ofSeconds(20)))
                .build();
        bench.router.put(Bench.route(
                Stream.of(rest)
                        .map(one -> serverless("s" + one.port(), one.uri()))
                        .toList(),
                List.of(spot("spot-1", replica.uri())),
                policy));
    }

    @Test
    @DisplayName("where it was asked for, the text is gone on with, and that is said to be best effort")
    void textPrefill() throws Exception {
        replica.inject(Fault.eof(Moment.atToken(20)));
        bestEffort(cloud);
        String body = chat(USAGE + ",\"presence_penalty\":0.5");
        HttpResponse<String> answer = bench.post(body);
        assertThat(answer.body()).contains(": continued by text_prefill, best effort\n\n");
        SpliceRun run = SpliceRun.of(answer.body());
        assertThat(run.flaw()).isEmpty();
        assertThat(run.text()).isEqualTo(unbroken(body).text());
        var sent = json(cloud.requests(Bench.CHAT).get(0).bodyText());
        assertThat(sent.path("continue_final_message").asBoolean()).isTrue();
        assertThat(sent.path("add_generation_prompt").asBoolean(true)).isFalse();
        assertThat(sent.path("messages")).hasSize(2);
        assertThat(sent.at("/messages/1/role").asText()).isEqualTo("assistant");
        assertThat(run.text()).startsWith(sent.at("/messages/1/content").asText());
    }

    @Test
    @DisplayName("best effort too prefers what is exact, and breaks off where a template will not have it")
    void textPrefillIsTheLastResort() throws Exception {
        replica.inject(Fault.eof(Moment.atToken(20)));
        bestEffort(cloud);
        HttpResponse<String> exact = bench.post(chat(USAGE));
        assertContinued(exact, chat(USAGE));
        assertThat(exact.body()).contains(": continued by chat_tokens\n");
        cloud.inject(Fault.of(Fault.Kind.REJECT_PREFILL));
        assertHonest(bench.post(chat(USAGE + ",\"presence_penalty\":0.5")));
    }

    @Test
    @DisplayName("best effort does not stretch to grammars and forced calls")
    void textPrefillKeepsOffGrammars() throws Exception {
        replica.inject(Fault.eof(Moment.atToken(20)));
        bestEffort(cloud);
        assertHonest(bench.post(chat(USAGE + ",\"response_format\":{\"type\":\"json_object\"}")));
        assertThat(cloud.stats().requests()).isZero();
    }

    // --- what is not ---

    static Stream<Arguments> ineligible() {
        return Stream.of(
                Arguments.of("two choices", ",\"n\":2"),
                Arguments.of("structured output", ",\"response_format\":{\"type\":\"json_object\"}"),
                Arguments.of("a guided choice", ",\"guided_choice\":[\"a\"]"),
                Arguments.of("structured outputs", ",\"structured_outputs\":{\"regex\":\"a+\"}"),
                Arguments.of("a required tool", ",\"tools\":[{\"type\":\"function\"}],\"tool_choice\":\"required\""),
                Arguments.of(
                        "a named tool",
                        ",\"tools\":[{\"type\":\"function\"}],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}"),
                Arguments.of("a presence penalty", ",\"presence_penalty\":0.5"),
                Arguments.of("a frequency penalty", ",\"frequency_penalty\":-0.5"),
                Arguments.of("beam search", ",\"use_beam_search\":true"),
                Arguments.of("a thinking budget", ",\"thinking_token_budget\":100"),
                Arguments.of(
                        "stop strings beside tools", ",\"stop\":\"a long stop\",\"tools\":[{\"type\":\"function\"}]"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("ineligible")
    @DisplayName("R16 what would not be exact ends in an error event and without [DONE]")
    void ineligibleRequests(String name, String more) throws Exception {
        replica.inject(Fault.eof(Moment.atToken(20)));
        route();
        assertHonest(bench.post(chat(",\"stream\":true" + more)));
        assertThat(cloud.stats().requests()).isZero();
        assertThat(bench.settled().failed()).isEqualTo(1);
        assertThat(bench.router.metrics())
                .contains("tuna_router_continuations_total{deployment=\"tuna-1\",method=\"none\",result=\"failed\"} 1");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("ineligible")
    @DisplayName("... unless nothing had been sent: then it simply goes elsewhere")
    void ineligibleButNothingSent(String name, String more) throws Exception {
        replica.inject(Fault.eof(Moment.atToken(0)));
        route();
        assertThat(events(bench.post(chat(",\"stream\":true" + more)).body()))
                .last()
                .isEqualTo("[DONE]");
    }

    @Test
    void imagesAreNotContinued() throws Exception {
        replica.inject(Fault.eof(Moment.atToken(8)));
        route();
        String body =
                "{\"model\":\"" + Bench.MODEL + "\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":["
                        + "{\"type\":\"text\",\"text\":\"what is it\"},{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:,\"}}]}]}";
        assertHonest(bench.post(body));
    }

    @Test
    @DisplayName("R16 inside a tool call nobody goes on")
    void toolCallIsNotSpliced() throws Exception {
        RawBackend caller = bench.own(new RawBackend(peer -> {
            peer.request();
            peer.say(CHUNKED);
            peer.chunk(chunk("\"delta\":{\"role\":\"assistant\",\"content\":\"\"}", ",\"prompt_token_ids\":[1,2,3]"));
            peer.chunk(chunk("\"delta\":{\"content\":\"let me see\"},\"token_ids\":[7,8]", ""));
            peer.chunk(chunk(
                    "\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"f\"}}]},\"token_ids\":[9]", ""));
            peer.reset();
        }));
        bench.route(List.of(serverless("cloud", cloud.uri())), List.of(spot("spot-1", caller.uri())));
        assertHonest(bench.post(chat(",\"stream\":true,\"tools\":[{\"type\":\"function\"}]")));
        assertThat(cloud.stats().requests()).isZero();
    }

    @Test
    @DisplayName("a backend that serves another revision does not go on")
    void otherRevision() throws Exception {
        replica.inject(Fault.eof(Moment.atToken(9)));
        RouteBackend old = revision("old", Tier.SPOT, replica, "1");
        RouteBackend other = revision("other", Tier.SERVERLESS, cloud, "2");
        bench.route(List.of(other), List.of(old));
        assertHonest(bench.post(chat(USAGE)));
        assertThat(cloud.stats().requests()).isZero();
        bench.route(List.of(revision("same", Tier.SERVERLESS, cloud, "1")), List.of(old));
        assertContinued(bench.post(chat(USAGE)), chat(USAGE));
    }

    private static RouteBackend revision(String id, Tier tier, VllmStandIn standIn, String revision) {
        return new RouteBackend(id, tier, BackendAddress.of(standIn.uri()), false, Optional.empty(), revision);
    }

    @Test
    @DisplayName("R18 a request can do without")
    void switchedOff() throws Exception {
        replica.inject(Fault.eof(Moment.atToken(9)));
        route();
        assertHonest(bench.post(chat(USAGE), "X-Tuna-Continuation", "off"));
        assertThat(replica.requests(Bench.CHAT).get(0).bodyText()).doesNotContain("return_token_ids");
        assertThat(replica.requests(Bench.CHAT).get(0).header("x-tuna-continuation"))
                .isEmpty();
    }

    @Test
    @DisplayName("R18 a route can do without")
    void switchedOffForTheRoute() throws Exception {
        replica.inject(Fault.eof(Moment.atToken(9)));
        var policy = Bench.POLICY.toBuilder()
                .continuation(RoutePolicy.Continuation.OFF)
                .build();
        bench.router.put(
                Bench.route(List.of(serverless("cloud", cloud.uri())), List.of(spot("spot-1", replica.uri())), policy));
        assertHonest(bench.post(chat(USAGE)));
    }

    @Test
    @DisplayName("a server that tells no ids is passed on as it is, and not continued")
    void noIds() throws Exception {
        RawBackend mute = bench.own(new RawBackend(peer -> {
            peer.request();
            peer.say(CHUNKED);
            peer.chunk(chunk("\"delta\":{\"content\":\"hello\"}", ""));
            peer.reset();
        }));
        bench.route(List.of(serverless("cloud", cloud.uri())), List.of(spot("spot-1", mute.uri())));
        assertHonest(bench.post(chat(",\"stream\":true")));
        assertThat(cloud.stats().requests()).isZero();
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"on", "off"})
    @DisplayName("an end mark before the answer is finished does not make half an answer a whole one")
    void falseEnd(String continuation) throws Exception {
        RawBackend hasty = bench.own(new RawBackend(peer -> {
            peer.request();
            peer.say(CHUNKED);
            peer.chunk(chunk("\"delta\":{\"content\":\"half\"}", "") + "data: [DONE]\n\n");
            peer.say("0\r\n\r\n");
        }));
        bench.route(List.of(serverless("cloud", cloud.uri())), List.of(spot("spot-1", hasty.uri())));
        assertHonest(bench.post(chat(",\"stream\":true"), "x-tuna-continuation", continuation));
        assertThat(bench.settled().failed()).isEqualTo(1);
    }

    /** A replica whose stream breaks after two tokens. */
    private RawBackend breaking() throws Exception {
        return bench.own(new RawBackend(peer -> {
            peer.request();
            peer.say(CHUNKED);
            peer.chunk(chunk("\"delta\":{\"role\":\"assistant\",\"content\":\"\"}", ",\"prompt_token_ids\":[1,2,3]"));
            peer.chunk(chunk("\"delta\":{\"content\":\"let me \"},\"token_ids\":[7,8]", ""));
            peer.reset();
        }));
    }

    /** A server that hangs up when asked for its version, and goes on with the replica's stream by these events. */
    private RawBackend goingOn(String... events) throws Exception {
        return bench.own(new RawBackend(peer -> {
            for (String request = peer.request(); !request.isEmpty(); request = peer.request()) {
                if (request.startsWith("GET /version")) {
                    return; // hangs up
                } else {
                    peer.say(CHUNKED);
                    peer.chunk(chunk("\"delta\":{\"role\":\"assistant\"}", ",\"prompt_token_ids\":[1,2,3,7,8]"));
                    for (String event : events) {
                        peer.chunk(event);
                    }
                    peer.say("0\r\n\r\n");
                }
            }
        }));
    }

    @Test
    @DisplayName("behind a seam an event without data is a sign of life and nothing more")
    void eventWithoutData() throws Exception {
        RawBackend next = goingOn(
                "event: ping\n\n",
                chunk("\"delta\":{\"content\":\"see\"},\"token_ids\":[9]", ""),
                "retry: 5\n\n",
                chunk("\"delta\":{},\"finish_reason\":\"stop\"", ""),
                "data: [DONE]\n\n");
        bench.route(
                List.of(serverless("next", next.uri())),
                List.of(spot("spot-1", breaking().uri())));
        List<String> events = events(bench.post(chat(",\"stream\":true")).body());
        assertThat(events).last().isEqualTo("[DONE]");
        assertThat(events).doesNotContain("{}").hasSize(5);
    }

    @Test
    @DisplayName("what was learnt of a server is forgotten once another revision answers at its place")
    void redeployedServerIsAskedAnew() throws Exception {
        replica.inject(Fault.eof(Moment.atToken(12)));
        VllmStandIn server =
                bench.own(VllmStandIn.builder().honoursPromptTokenIds(false).start());
        for (String revision : List.of("1", "2")) {
            bench.route(
                    List.of(revision("server", Tier.SERVERLESS, server, revision)),
                    List.of(revision("spot-1", Tier.SPOT, replica, revision)));
            assertContinued(bench.post(chat(USAGE)), chat(USAGE));
            assertContinued(bench.post(chat(USAGE)), chat(USAGE));
        }
        assertThat(server.requests("/version")).hasSize(2);
        assertThat(server.requests(Bench.CHAT))
                .filteredOn(request -> request.bodyText().contains("prompt_token_ids"))
                .hasSize(2);
    }

    @Test
    @DisplayName("a server too busy to answer a question has failed, and is not thought unable to go on")
    void busyWhenAsked() throws Exception {
        replica.inject(Fault.eof(Moment.atToken(20)));
        RawBackend busy = bench.own(
                RawBackend.always("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n"));
        bench.route(
                List.of(serverless("busy", busy.uri()), serverless("cloud", cloud.uri())),
                List.of(spot("spot-1", replica.uri())));
        String body = chat(USAGE + ",\"stop\":\"a long stop\"");
        assertContinued(bench.post(body), body);
        assertThat(busy.requests).hasSize(2).last().asString().startsWith("POST /detokenize");
        assertThat(bench.failures).containsExactly(BackendFailure.MID_STREAM, BackendFailure.OVERLOADED);
    }

    @Test
    @DisplayName("a front end that has no server for a question yet has failed, and is not thought unable to go on")
    void coldWhenAsked() throws Exception {
        replica.inject(Fault.eof(Moment.atToken(20)));
        RawBackend cold = bench.own(
                RawBackend.always("HTTP/1.1 400 Bad Request\r\nContent-Length: 20\r\n\r\nno workers available"));
        BackendAddress address = BackendAddress.of(cold.uri())
                .withUnserved(List.of(new UnservedAnswer(400, "no workers", Duration.ofSeconds(60))));
        bench.route(
                List.of(RouteBackend.of("cold", Tier.SERVERLESS, address), serverless("cloud", cloud.uri())),
                List.of(spot("spot-1", replica.uri())));
        String body = chat(USAGE + ",\"stop\":\"a long stop\"");
        assertContinued(bench.post(body), body);
        assertThat(bench.failures).containsExactly(BackendFailure.MID_STREAM, BackendFailure.OVERLOADED);
    }

    @Test
    @DisplayName("behind a seam what is no JSON is a break like any other")
    void unreadableBehindTheSeam() throws Exception {
        RawBackend next = goingOn(
                chunk("\"delta\":{\"content\":\"see\"},\"token_ids\":[9]", ""),
                "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":nonsense}}]}\n\n");
        bench.route(
                List.of(serverless("next", next.uri())),
                List.of(spot("spot-1", breaking().uri())));
        HttpResponse<String> answer = bench.post(chat(",\"stream\":true"));
        assertHonest(answer);
        assertThat(answer.body()).contains("see");
        assertThat(bench.failures).contains(BackendFailure.MID_STREAM).hasSizeGreaterThan(1);
        assertThat(bench.settled().failed()).isEqualTo(1);
    }

    @Test
    @DisplayName("usage that nobody has counted is not made up")
    void usageIsNotMadeUp() throws Exception {
        RawBackend mute = bench.own(new RawBackend(peer -> {
            peer.request();
            peer.say(CHUNKED);
            peer.chunk(chunk("\"delta\":{\"content\":\"all\"}", ""));
            peer.chunk(chunk("\"delta\":{},\"finish_reason\":\"stop\"", ""));
            peer.reset();
        }));
        bench.route(List.of(), List.of(spot("spot-1", mute.uri())));
        assertHonest(bench.post(chat(USAGE)));
        bench.route(List.of(), List.of(spot("spot-2", mute.uri())));
        assertThat(events(bench.post(chat(",\"stream\":true")).body()))
                .as("without usage nothing is missing")
                .last()
                .isEqualTo("[DONE]");
    }

    @Test
    @DisplayName("tokens generated behind a prefill count when the stream moves again")
    void prefillIsCounted() throws Exception {
        replica.inject(Fault.eof(Moment.atToken(10)));
        VllmStandIn second = bench.standIn();
        second.inject(Fault.eof(Moment.atToken(10)));
        bestEffort(second, cloud);
        String body = chat(USAGE + ",\"presence_penalty\":0.5,\"max_tokens\":60");
        SpliceRun run = SpliceRun.of(bench.post(body).body());
        assertThat(run.flaw()).isEmpty();
        int first = json(second.requests(Bench.CHAT).get(0).bodyText())
                .path("max_completion_tokens")
                .asInt();
        int then = json(cloud.requests(Bench.CHAT).get(0).bodyText())
                .path("max_completion_tokens")
                .asInt();
        assertThat(first).isBetween(50, 56);
        assertThat(then).isBetween(first - 10, first - 4);
        assertThat(json(run.usage()).path("completion_tokens").asInt()).isEqualTo(60);
    }

    @Test
    @DisplayName("a server that refuses to tell ids is asked the client's own words, and from then on nothing else")
    void strictServer() throws Exception {
        RawBackend strict = bench.own(new RawBackend(peer -> {
            for (String request = peer.request(); !request.isEmpty(); request = peer.request()) {
                if (request.contains("return_token_ids") || request.contains("wrong")) {
                    peer.say("HTTP/1.1 422 Unprocessable Entity\r\nContent-Length: 2\r\n\r\n{}");
                } else {
                    peer.say(CHUNKED);
                    peer.chunk(chunk("\"delta\":{\"content\":\"all\"},\"finish_reason\":\"stop\"", "")
                            + "data: [DONE]\n\n");
                    peer.say("0\r\n\r\n");
                }
            }
        }));
        bench.route(List.of(serverless("strict", strict.uri())), List.of());
        assertThat(bench.post(Bench.chat("wrong", ",\"stream\":true")).statusCode())
                .as("whatever is wrong with it, it is not the ids")
                .isEqualTo(422);
        assertThat(strict.requests).hasSize(2);
        for (int i = 0; i < 2; i++) {
            assertThat(events(bench.post(chat(",\"stream\":true")).body()))
                    .last()
                    .isEqualTo("[DONE]");
        }
        assertThat(strict.requests).hasSize(5);
        assertThat(strict.requests.get(4)).doesNotContain("return_token_ids");
        assertThat(bench.failures).isEmpty();
    }

    // --- before it breaks ---

    private static VllmStandIn slow() {
        return VllmStandIn.builder().tokensPerSecond(60).start();
    }

    /** Would not be done with its answer for long. */
    private static VllmStandIn tooSlow() {
        return VllmStandIn.builder().tokensPerSecond(5).start();
    }

    @Test
    @DisplayName("R20 on notice a stream that would not be done in time leaves before the end")
    void leavesBeforeTheEnd() throws Exception {
        VllmStandIn doomed = bench.own(tooSlow());
        List<RouteBackend> rest = List.of(serverless("cloud", cloud.uri()));
        bench.router.put(Bench.route(rest, List.of(spot("spot-1", doomed.uri())), Bench.POLICY));
        var answer =
                Bench.client().sendAsync(bench.request(Bench.CHAT, chat(USAGE)), HttpResponse.BodyHandlers.ofString());
        Bench.await("some tokens", () -> doomed.stats().generationTokens() > 2);
        bench.router.put(Bench.route(rest, List.of(ending(doomed, Duration.ofMillis(400))), Bench.POLICY));
        assertContinued(answer.get(), chat(USAGE));
        assertThat(answer.get().body()).contains(": continued by chat_tokens");
        assertThat(bench.failures).as("it left, it did not break").isEmpty();
        Bench.await("it was hung up on", () -> doomed.stats().aborted() == 1);
    }

    private static RouteBackend ending(VllmStandIn standIn, Duration in) {
        return new RouteBackend(
                "spot-1",
                Tier.SPOT,
                BackendAddress.of(standIn.uri()),
                true,
                Optional.of(Instant.now().plus(in)),
                "");
    }

    @Test
    @DisplayName("R20 a stream that has left does not come back, whether the replica drains or not")
    void doesNotComeBack() throws Exception {
        VllmStandIn doomed = bench.own(tooSlow());
        List<RouteBackend> rest = List.of(serverless("cloud", cloud.uri()));
        RouteBackend ending = new RouteBackend(
                "spot-1",
                Tier.SPOT,
                BackendAddress.of(doomed.uri()),
                false,
                Optional.of(Instant.now().plus(Duration.ofMillis(400))),
                "");
        bench.router.put(Bench.route(rest, List.of(ending), Bench.POLICY));
        HttpResponse<String> answer = bench.post(chat(USAGE));
        assertContinued(answer, chat(USAGE));
        assertThat(answer.body()).containsOnlyOnce(": continued by");
        assertThat(doomed.requests(Bench.CHAT)).hasSize(1);
        bench.settled();
        assertThat(bench.router.metrics())
                .as("choosing where to go on is not what the router adds to a request")
                .containsPattern("tuna_router_overhead_seconds_count\\{[^}]*} 1\n");
    }

    @Test
    @DisplayName("R20 a stream with little left stays where it is")
    void staysWhenAlmostDone() throws Exception {
        VllmStandIn doomed = bench.own(slow());
        List<RouteBackend> rest = List.of(serverless("cloud", cloud.uri()));
        bench.router.put(Bench.route(rest, List.of(spot("spot-1", doomed.uri())), Bench.POLICY));
        String body = chat(",\"stream\":true,\"max_tokens\":20");
        var answer = Bench.client().sendAsync(bench.request(Bench.CHAT, body), HttpResponse.BodyHandlers.ofString());
        Bench.await("some tokens", () -> doomed.stats().generationTokens() > 5);
        bench.router.put(Bench.route(rest, List.of(ending(doomed, Duration.ofMinutes(1))), Bench.POLICY));
        assertContinued(answer.get(), body);
        assertThat(cloud.stats().generationTokens()).as("only the comparison").isEqualTo(20);
    }

    @Test
    @DisplayName(
            "R19 a provider's time limit is known: the stream leaves before it, for the same endpoint if there is no other")
    void leavesBeforeTheLimit() throws Exception {
        VllmStandIn limited = bench.own(slow());
        RouteBackend backend = RouteBackend.of(
                "limited",
                Tier.SERVERLESS,
                new BackendAddress(limited.uri(), Optional.empty(), "/health", Optional.of(Duration.ofMillis(500)), 0));
        bench.route(List.of(backend), List.of());
        assertContinued(bench.post(chat(USAGE)), chat(USAGE));
        assertThat(limited.requests(Bench.CHAT)).hasSizeGreaterThan(1);
        assertThat(bench.failures).isEmpty();
    }

    @Test
    @DisplayName("a killed replica's streams go on, all of them")
    void killedReplica() throws Exception {
        VllmStandIn doomed = bench.own(slow());
        bench.route(List.of(serverless("cloud", cloud.uri())), List.of(spot("spot-1", doomed.uri())));
        var answers = Stream.generate(() -> Bench.client()
                        .sendAsync(bench.request(Bench.CHAT, chat(USAGE)), HttpResponse.BodyHandlers.ofString()))
                .limit(20)
                .toList();
        Bench.await("tokens for all", () -> doomed.stats().generationTokens() > 200);
        doomed.kill();
        for (var answer : answers) {
            assertContinued(answer.get(), chat(USAGE));
        }
        assertThat(bench.settled().succeeded()).isEqualTo(20);
    }

    // --- 303 ---

    @ParameterizedTest
    @ValueSource(strings = {"/result?call=fc-1", "?call=fc-1", "http://HOST/result?call=fc-1"})
    @DisplayName("a 303 is followed with GET on the same server, with its credential, as often as it comes")
    void followsSeeOther(String location) throws Exception {
        AtomicInteger asked = new AtomicInteger();
        RawBackend modal = bench.own(new RawBackend(peer -> {
            for (String request = peer.request(); !request.isEmpty(); request = peer.request()) {
                int turn = asked.incrementAndGet();
                String host = request.substring(request.toLowerCase(Locale.ROOT).indexOf("\r\nhost: ") + 8)
                        .split("\r\n")[0];
                if (turn == 3) {
                    peer.say("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
                } else if (turn < 4) {
                    peer.say("HTTP/1.1 303 See Other\r\nLocation: " + location.replace("HOST", host)
                            + "\r\nContent-Length: 4\r\n\r\nbusy");
                } else {
                    peer.say("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
                }
            }
        }));
        RouteBackend backend = RouteBackend.of(
                "modal",
                Tier.SERVERLESS,
                new BackendAddress(
                        modal.uri(),
                        Optional.of(Credential.bearer(Secret.of("modal-token"))),
                        "/health",
                        Optional.empty(),
                        0));
        bench.route(List.of(backend), List.of());
        HttpResponse<String> answer = bench.post(chat(""));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo("{}");
        assertThat(modal.requests).hasSize(4);
        String path = location.startsWith("?") ? "/v1/chat/completions?call=fc-1" : "/result?call=fc-1";
        assertThat(modal.requests.subList(1, 4))
                .allMatch(request -> request.startsWith("GET " + path + " HTTP/1.1"))
                .allMatch(request -> request.contains("Bearer modal-token"))
                .noneMatch(request -> request.contains("messages"));
    }

    @Test
    @DisplayName("a stream that falls silent behind a 303 whose connection had gone is noticed")
    void silenceBehindSeeOther() throws Exception {
        RawBackend modal = bench.own(new RawBackend(peer -> {
            if (peer.request().startsWith("POST")) {
                peer.say("HTTP/1.1 303 See Other\r\nLocation: /result\r\nContent-Length: 0\r\n\r\n");
                peer.request(); // and hangs up
            } else {
                peer.say(CHUNKED);
                peer.chunk(chunk("\"delta\":{\"content\":\"half\"}", ""));
                peer.awaitEnd();
            }
        }));
        AtomicLong time = new AtomicLong();
        try (Bench timed = new Bench(time::get)) {
            timed.route(List.of(serverless("modal", modal.uri())), List.of());
            var answer = Bench.client()
                    .sendAsync(
                            timed.request(Bench.CHAT, chat(",\"stream\":true")), HttpResponse.BodyHandlers.ofString());
            timed.awaitFirstToken();
            Bench.passing(time, Bench.POLICY.idleTimeout(), "it is given up", answer::isDone);
            assertHonest(answer.get());
            assertThat(timed.failures).containsExactly(BackendFailure.MID_STREAM);
        }
    }

    @Test
    @DisplayName("a 303 to another server is not followed and not shown")
    void staysOnTheServer() throws Exception {
        RawBackend elsewhere = bench.own(RawBackend.always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"));
        RawBackend liar = bench.own(RawBackend.always(
                "HTTP/1.1 303 See Other\r\nLocation: " + elsewhere.uri() + "/x\r\nContent-Length: 0\r\n\r\n"));
        bench.route(List.of(serverless("liar", liar.uri()), serverless("cloud", cloud.uri())), List.of());
        assertThat(bench.post(chat("")).headers().firstValue("x-tuna-backend")).hasValue("cloud");
        assertThat(elsewhere.requests).isEmpty();
    }
}
