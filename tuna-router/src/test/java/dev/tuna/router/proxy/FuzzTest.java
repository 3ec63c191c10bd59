package dev.tuna.router.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.router.RoutePolicy;
import dev.tuna.router.http.ClientWishes;
import dev.tuna.router.http.ForwardHeaders;
import dev.tuna.router.http.PathRules;
import dev.tuna.router.http.RefusedException;
import dev.tuna.router.http.RequestBody;
import dev.tuna.router.http.RequestChecks;
import dev.tuna.router.http.RequestTarget;
import dev.tuna.router.http.RequestTarget.Kind;
import dev.tuna.router.http.SseScanner;
import dev.tuna.router.http.StrictRequestDecoder;
import dev.tuna.router.http.WholeAnswer;
import dev.tuna.router.stream.Questions;
import dev.tuna.router.stream.ResumeRequest;
import dev.tuna.router.stream.StopSearch;
import dev.tuna.router.stream.StreamRequest;
import dev.tuna.router.stream.TokenRecorder;
import dev.tuna.spi.BackendAddress;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.ReferenceCountUtil;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What hostile and broken peers send: it is refused or passed on, and nothing else happens. Seeded; a failure names its case. */
class FuzzTest {

    private static final int FULL = 1_200_000;
    private static final int SAMPLE = 6_000;
    private static final long SEED = 20261125;

    private static final ObjectMapper JSON = Bench.JSON;

    private final UnpooledByteBufAllocator memory = new UnpooledByteBufAllocator(false);
    private final LoggedErrors logged = LoggedErrors.listen();

    @AfterEach
    void nothingWasLogged() {
        logged.close();
        assertThat(logged.lines()).isEmpty();
    }

    /** One thing that must bear anything. */
    private interface Target {
        void meet(Hostile peer) throws Exception;
    }

    private record Share(String name, int percent, Target target) {}

    private final List<Share> shares = List.of(
            new Share("bodies", 30, this::body),
            new Share("forms", 4, this::form),
            new Share("HTTP requests", 12, this::http),
            new Share("event streams", 22, this::relay),
            new Share("continued streams", 14, this::seam),
            new Share("answers", 6, this::answers),
            new Share("stop strings", 8, this::stops),
            new Share("recorded ids", 4, this::recorder));

    @Test
    @DisplayName("a sample of what hostile peers send is borne")
    void sample() throws Exception {
        run(SAMPLE);
    }

    @Test
    @Tag("full")
    @DisplayName("a million of what hostile peers send is borne")
    void million() throws Exception {
        run(FULL);
    }

    private void run(int all) throws Exception {
        assertThat(shares.stream().mapToInt(Share::percent).sum()).isEqualTo(100);
        long began = System.nanoTime();
        for (Share share : shares) {
            long shareBegan = System.nanoTime();
            int cases = all / 100 * share.percent();
            for (int i = 0; i < cases; i++) {
                meet(share, i);
            }
            System.out.printf(
                    "fuzz: %s, %d cases, %.1f s%n", share.name(), cases, (System.nanoTime() - shareBegan) / 1e9);
        }
        System.out.printf("fuzz: %d cases, %.1f s%n", all, (System.nanoTime() - began) / 1e9);
    }

    private void meet(Share share, int index) throws Exception {
        try {
            share.target().meet(new Hostile(SEED + 1_000_003L * index));
        } catch (Exception | Error e) {
            throw new AssertionError(share.name() + ", case " + index, e);
        }
        if (kept() != 0) {
            throw new AssertionError(share.name() + ", case " + index + ": " + kept() + " bytes are kept");
        }
    }

    private long kept() {
        return memory.metric().usedHeapMemory() + memory.metric().usedDirectMemory();
    }

    private ByteBuf buffer(byte[] bytes) {
        return memory.buffer(Math.max(1, bytes.length)).writeBytes(bytes);
    }

    // --- clients ---

    private void body(Hostile peer) throws IOException {
        byte[] bytes = peer.requestBody().getBytes(StandardCharsets.UTF_8);
        bytes = peer.oneIn(3) ? peer.spoilt(bytes) : bytes;
        ByteBuf body = buffer(bytes);
        try {
            RequestBody scan = RequestBody.scan(body, "application/json");
            understood(bytes, scan, body, peer);
        } catch (RefusedException e) {
            assertRefused(e);
        } finally {
            assertThat(body.readableBytes()).isEqualTo(bytes.length);
            body.release();
        }
    }

    private static void assertRefused(RefusedException refusal) throws IOException {
        assertThat(refusal.error().status()).isBetween(400, 505);
        assertThat(JSON.readTree(refusal.error().json())
                        .path("error")
                        .path("message")
                        .asText())
                .isNotEmpty();
    }

    /** A server that reads the body by other means reads the same. */
    private void understood(byte[] bytes, RequestBody scan, ByteBuf body, Hostile peer) throws IOException {
        ObjectNode json = (ObjectNode) JSON.readTree(bytes);
        assertThat(json.path("model").asText()).isEqualTo(scan.model());
        assertThat(json.path("stream").asBoolean()).isEqualTo(scan.stream());
        assertThat(scan.choices()).isPositive();
        boolean internals = json.has("kv_transfer_params") || json.has("ec_transfer_params");
        assertThat(scan.internals()).isEqualTo(internals);
        if (internals) {
            ByteBuf without = RequestBody.withoutInternals(body);
            byte[] left = new byte[without.readableBytes()];
            without.readBytes(left);
            without.release();
            json.remove(List.of("kv_transfer_params", "ec_transfer_params"));
            assertThat(JSON.readTree(left)).isEqualTo(json);
        }
        boolean chat = peer.oneIn(2);
        StreamRequest asked = StreamRequest.read(body, chat);
        if (asked.ineligible().isEmpty()) {
            TokenRecorder soFar = new TokenRecorder(new MemoryBudget(1024));
            IntStream.of(3, 4).forEach(soFar::prompt);
            IntStream.of(5, 6).forEach(soFar::generated);
            soFar.settle();
            ResumeRequest resume = new ResumeRequest(bytes, asked, soFar, asked.heldBack() == 0);
            boolean asChat = chat && peer.oneIn(2);
            JsonNode resumed = read(asChat ? resume.chat() : resume.completion(OptionalInt.of(4096)));
            assertThat(resumed.path("return_token_ids").asBoolean()).isTrue();
            assertThat(resumed.at(asChat ? "/kv_transfer_params/prompt_token_ids" : "/prompt"))
                    .hasSize(4);
            if (resumed.has("stop")) {
                assertThat(resumed.path("stop")).hasSize(json.path("stop").size());
            }
            assertThat(read(Questions.tokenize(bytes)).path("model")).isEqualTo(json.path("model"));
        }
    }

    private static JsonNode read(ByteBuf json) throws IOException {
        byte[] bytes = ByteBufUtil.getBytes(json);
        json.release();
        return JSON.readTree(bytes);
    }

    private void form(Hostile peer) throws IOException {
        String part = "\r\nContent-Disposition: form-data; name=";
        String form = "--b" + part + "\"model\"\r\n\r\nstand-in/tiny\r\n--b" + part + "\"file\"; filename=\"a\"\r\n\r\n"
                + peer.requestBody() + "\r\n--b" + part + "stream\r\n\r\ntrue\r\n--b--\r\n";
        ByteBuf body = buffer(peer.spoilt(form.getBytes(StandardCharsets.UTF_8)));
        try {
            String boundary = peer.oneIn(10) ? "" : peer.oneIn(2) ? "; boundary=b" : "; boundary=\"b\"";
            assertThat(RequestBody.scan(body, "multipart/form-data" + boundary).choices())
                    .isEqualTo(1);
        } catch (RefusedException e) {
            assertRefused(e);
        } finally {
            body.release();
        }
    }

    private void http(Hostile peer) throws IOException {
        HttpDecoderConfig limits =
                new HttpDecoderConfig().setMaxInitialLineLength(16384).setMaxHeaderSize(16384);
        EmbeddedChannel channel = new EmbeddedChannel(new StrictRequestDecoder(limits));
        ByteArrayOutputStream sent = new ByteArrayOutputStream();
        for (int i = 1 + peer.upTo(1); i > 0; i--) {
            sent.writeBytes(peer.request(peer.requestBody()));
        }
        for (byte[] piece : peer.pieces(sent.toByteArray())) {
            channel.writeInbound(buffer(piece));
            for (Object part = channel.readInbound(); part != null; part = channel.readInbound()) {
                if (part instanceof HttpRequest head) {
                    head(head);
                }
                ReferenceCountUtil.release(part);
            }
        }
        channel.finishAndReleaseAll();
    }

    private static void head(HttpRequest head) throws IOException {
        try {
            RequestChecks.check(head);
            ClientWishes.of(head.headers());
            RequestTarget target = PathRules.resolve(head.method(), head.uri());
            String key = Keys.presented(head.headers());
            assertThat(key == null || Keys.hash(key).length > 0).isTrue();
            URI backend = URI.create("http://127.0.0.1:8000/base");
            var forwarded = ForwardHeaders.toBackend(head.headers(), BackendAddress.of(backend), "127.0.0.1", false);
            assertThat(forwarded.contains("authorization"))
                    .as("the client's key")
                    .isFalse();
            assertThat(forwarded.contains("transfer-encoding")).isFalse();
            assertThat(PathRules.join(backend, target.target())).startsWith("/base/");
        } catch (RefusedException e) {
            assertRefused(e);
        }
    }

    // --- backends ---

    /** What became of a stream. */
    private static final class Outcome implements Relay.Sink {
        private final ByteArrayOutputStream shown = new ByteArrayOutputStream();
        private String end = "open";
        private boolean begun;
        private boolean toldDone;

        @Override
        public void firstEvents() {
            assertThat(begun).isFalse();
            begun = true;
        }

        @Override
        public void events(ByteBuf data) {
            assertThat(begun).as("begun before events").isTrue();
            byte[] bytes = new byte[data.readableBytes()];
            data.readBytes(bytes);
            data.release();
            shown.writeBytes(bytes);
        }

        @Override
        public void backendFailed(ByteBuf lastWords, boolean told) {
            over("failed" + (told ? " and told" : ""));
            lastWords.release();
        }

        @Override
        public void streamComplete() {
            over("complete");
        }

        @Override
        public void didNotGoOn(String why) {
            assertThat(begun).as("refused before anything was shown").isFalse();
            over("did not go on");
        }

        private void over(String how) {
            assertThat(end).isEqualTo("open");
            end = how;
        }

        /** As the end of the connection finds it. */
        void ended(Relay relay) {
            if (end.equals("open")) {
                end = relay.verdict().toString();
                if (relay.verdict() == SseScanner.Verdict.COMPLETE) {
                    relay.finish();
                } else if (relay.isFlowing()) {
                    relay.flush();
                }
            }
            relay.release();
        }

        String text() {
            return shown.toString(StandardCharsets.UTF_8);
        }

        /** A character for each byte; without signs of life, which may be dropped, and without half an event at the end. */
        String said() {
            byte[] all = shown.toByteArray();
            ByteBuf read = Unpooled.wrappedBuffer(all);
            SseScanner scanner = new SseScanner(1);
            StringBuilder said = new StringBuilder();
            int from = 0;
            toldDone = false;
            for (int end = scanner.next(read, from); end >= 0; end = scanner.next(read, from)) {
                said.append(scanner.isComment() ? "" : new String(all, from, end - from, StandardCharsets.ISO_8859_1));
                toldDone |= scanner.isDone();
                from = end;
            }
            return said.toString();
        }
    }

    private static final RequestTarget CHAT = new RequestTarget(Kind.INFERENCE, Bench.CHAT, Bench.CHAT);
    private static final RequestTarget COMPLETIONS =
            new RequestTarget(Kind.INFERENCE, "/v1/completions", "/v1/completions");

    private static ClientRequest request(boolean chat, String more) throws RefusedException {
        String body = chat ? Bench.chat("hello", more) : "{\"model\":\"m\",\"prompt\":\"x\"" + more + "}";
        var headers = new DefaultHttpHeaders();
        return new ClientRequest(
                HttpMethod.POST,
                chat ? CHAT : COMPLETIONS,
                HttpVersion.HTTP_1_1,
                headers,
                "id",
                Unpooled.copiedBuffer(body, StandardCharsets.UTF_8),
                true,
                1,
                OptionalLong.empty(),
                ClientWishes.of(headers));
    }

    private record Relayed(String shown, String end, int generated, int settled) {}

    private Relayed relayed(byte[] stream, List<byte[]> pieces, boolean chat, String more) throws RefusedException {
        MemoryBudget budget = new MemoryBudget(1 << 20);
        Continuation continuation =
                Objects.requireNonNull(Continuation.of(request(chat, more), RoutePolicy.Continuation.DEFAULT, budget));
        Outcome outcome = new Outcome();
        StreamRelay relay =
                new StreamRelay(new SseScanner(1, continuation.recorder()), outcome, memory, continuation, true);
        for (byte[] piece : pieces) {
            relay.accept(buffer(piece));
        }
        outcome.ended(relay);
        TokenRecorder recorder = continuation.recorder();
        Relayed relayed = new Relayed(outcome.said(), outcome.end, recorder.generated(), recorder.settled());
        assertThat(recorder.settled()).isLessThanOrEqualTo(recorder.generated());
        continuation.release();
        assertThat(budget.taken()).isZero();
        if (outcome.toldDone) {
            assertThat(relayed.end())
                    .as(new String(stream, StandardCharsets.UTF_8))
                    .isIn("complete", "COMPLETE");
        }
        return relayed;
    }

    /** However the network cuts a stream, the client gets the same of it, and nothing of the ids that it did not ask for. */
    private void relay(Hostile peer) throws Exception {
        boolean chat = peer.oneIn(2);
        String more = peer.oneIn(3) ? ",\"return_token_ids\":true" : "";
        List<String> good = peer.events(chat, new int[] {1, 2, 3}, tokens(peer), !peer.oneIn(3));
        boolean harmless = peer.oneIn(4);
        byte[] stream = harmless ? String.join("", good).getBytes(StandardCharsets.UTF_8) : peer.stream(good);
        Relayed whole = relayed(stream, List.of(stream), chat, more);
        Relayed cut = relayed(stream, peer.pieces(stream), chat, more);
        if (stream.length < 200_000) { // longer ones are not waited for
            assertThat(cut).isEqualTo(whole);
        }
        if (harmless) {
            assertStripped(good, whole, more.isEmpty());
        }
    }

    private static int[] tokens(Hostile peer) {
        return IntStream.range(0, peer.upTo(12))
                .map(any -> 1 + peer.random.nextInt(40))
                .toArray();
    }

    private static void assertStripped(List<String> good, Relayed whole, boolean stripped) {
        List<JsonNode> expected = new ArrayList<>();
        for (String event : good) {
            if (event.startsWith("data: {")) {
                JsonNode json = Bench.json(event.substring(6));
                if (stripped) {
                    ((ObjectNode) json).remove("prompt_token_ids");
                    ((ObjectNode) json.at("/choices/0")).remove(List.of("token_ids", "prompt_token_ids"));
                }
                expected.add(json);
            }
        }
        byte[] said = whole.shown().getBytes(StandardCharsets.ISO_8859_1);
        List<JsonNode> shown = Bench.events(new String(said, StandardCharsets.UTF_8)).stream()
                .filter(event -> event.startsWith("{"))
                .map(Bench::json)
                .toList();
        assertThat(shown).isEqualTo(expected.subList(0, shown.size()));
        if (whole.end().equals("complete")) {
            assertThat(shown).hasSameSizeAs(expected);
        }
    }

    /** A stream that broke anywhere, and whatever the next backend makes of being asked to go on. */
    private void seam(Hostile peer) throws Exception {
        boolean chat = peer.oneIn(2);
        String more = peer.any(new String[] {
            "",
            ",\"stop\":[\"t3t\",\"zz\"]",
            ",\"stream_options\":{\"include_usage\":true}",
            ",\"return_token_ids\":true"
        });
        int[] prompt = {1, 2, 3};
        int[] tokens = tokens(peer);
        MemoryBudget budget = new MemoryBudget(1 << 20);
        Continuation continuation =
                Objects.requireNonNull(Continuation.of(request(chat, more), RoutePolicy.Continuation.DEFAULT, budget));
        BackendRuntime backend = new BackendRuntime(
                Bench.spot("next", URI.create("http://127.0.0.1:1")), RoutePolicy.DEFAULT, 0, () -> {});
        Outcome outcome = new Outcome();
        StreamRelay first =
                new StreamRelay(new SseScanner(1, continuation.recorder()), outcome, memory, continuation, true);
        List<String> good = peer.events(chat, prompt, tokens, false);
        byte[] begun = peer.oneIn(3) ? peer.stream(good) : String.join("", good).getBytes(StandardCharsets.UTF_8);
        for (byte[] piece :
                peer.pieces(Arrays.copyOf(begun, begun.length - peer.random.nextInt(begun.length + 1) / 4))) {
            first.accept(buffer(piece));
        }
        if (first.isFlowing() && !first.isInsideEvent() && outcome.end.equals("open")) {
            continuation.keepRequest();
            if (continuation.mayGoOn()) {
                first.release();
                goOn(peer, continuation, backend, chat, prompt);
            }
        }
        first.release();
        continuation.release();
        assertThat(budget.taken()).isZero();
    }

    private void goOn(Hostile peer, Continuation continuation, BackendRuntime backend, boolean chat, int[] prompt)
            throws IOException {
        if (continuation.needsNobody()) {
            assertThat(new String(continuation.ending(), StandardCharsets.UTF_8))
                    .endsWith("data: [DONE]\n\n");
            return;
        }
        continuation.beginMove(false);
        while (continuation.choose(backend)) {
            Question question = continuation.question(backend);
            if (question != null) {
                if (!answer(peer, question) && question.needed()) {
                    continuation.refused(backend);
                }
                continue;
            }
            ByteBuf resume = continuation.resumeBody(backend);
            JsonNode sent = JSON.readTree(resume.toString(StandardCharsets.UTF_8));
            resume.release();
            JsonNode told = sent.has("prompt") ? sent.path("prompt") : sent.at("/kv_transfer_params/prompt_token_ids");
            int[] read = IntStream.range(0, told.size())
                    .map(i -> told.path(i).intValue())
                    .toArray();
            boolean honest = !peer.oneIn(4);
            List<String> rest =
                    peer.events(chat && !sent.has("prompt"), honest ? read : prompt, tokens(peer), !peer.oneIn(3));
            byte[] stream =
                    peer.oneIn(2) ? peer.stream(rest) : String.join("", rest).getBytes(StandardCharsets.UTF_8);
            Outcome outcome = new Outcome();
            Relay relay = continuation.relay(outcome);
            for (byte[] piece : peer.pieces(stream)) {
                relay.accept(buffer(piece));
            }
            outcome.ended(relay);
            List<String> events = Bench.events(outcome.text()); // whole ones, whatever came
            if (events.contains("[DONE]")) {
                assertThat(outcome.end).isIn("complete", "COMPLETE");
                assertThat(events.indexOf("[DONE]")).isEqualTo(events.size() - 1);
            }
            if (outcome.end.equals("did not go on")) {
                continuation.refused(backend);
            } else {
                return;
            }
        }
    }

    private static boolean answer(Hostile peer, Question question) {
        String[] right = {
            "{\"tokens\":[1,2,3],\"count\":3}",
            "{\"prompt\":\"the text\"}",
            "{\"version\":\"0.31.0\"}",
            "{\"data\":[{\"max_model_len\":4096}]}",
            "{\"version\":\"0.1.0\"}"
        };
        byte[] said = peer.any(right).getBytes(StandardCharsets.UTF_8);
        try {
            return question.answer().test(peer.oneIn(3) ? peer.spoilt(said) : said);
        } catch (UncheckedIOException e) {
            assertThat(e).hasMessageContaining("answer");
            return false;
        }
    }

    private void answers(Hostile peer) {
        byte[] answer = (peer.oneIn(2) ? peer.strangeChunk() : peer.requestBody()).getBytes(StandardCharsets.UTF_8);
        byte[] bytes = peer.oneIn(3) ? peer.spoilt(answer) : answer;
        WholeAnswer whole = new WholeAnswer();
        ByteBuf all = buffer(bytes);
        whole.read(all);
        WholeAnswer inPieces = new WholeAnswer();
        for (byte[] piece : peer.pieces(bytes)) {
            ByteBuf read = buffer(piece);
            inPieces.read(read);
            read.release();
        }
        assertThat(inPieces.isGivenUp()).isEqualTo(whole.isGivenUp());
        String event = InBand.event(all).toString(StandardCharsets.UTF_8);
        assertThat(Bench.events(event)).hasSize(1);
        for (String location : List.of(new String(bytes, StandardCharsets.ISO_8859_1), "/x?" + peer.strangeChunk())) {
            var head = new DefaultHttpResponse(
                    HttpVersion.HTTP_1_1,
                    HttpResponseStatus.SEE_OTHER,
                    DefaultHttpHeadersFactory.headersFactory()
                            .withValidation(false)
                            .newHeaders()
                            .set("location", location));
            String place = Redirects.follow(URI.create("http://127.0.0.1:1"), Bench.CHAT, null, head);
            assertThat(place == null || place.chars().noneMatch(c -> c <= ' ')).isTrue();
        }
    }

    // --- the pure parts ---

    /** However the text comes, what is shown is what one look at the whole of it would have let through. */
    private void stops(Hostile peer) {
        String alphabet = peer.oneIn(2) ? "ab" : "ab\u00e9\ud83d\ude3c";
        List<String> stops = new ArrayList<>();
        for (int i = 1 + peer.upTo(2); i > 0; i--) {
            stops.add(letters(peer, alphabet, 1 + peer.upTo(4)));
        }
        boolean include = peer.oneIn(2);
        String body =
                "{\"stop\":" + stops.stream().map(stop -> "\"" + stop + "\"").toList()
                        + ",\"include_stop_str_in_output\":" + include + "}";
        StreamRequest asked = StreamRequest.read(Unpooled.copiedBuffer(body, StandardCharsets.UTF_8), true);
        StopSearch search = new StopSearch(asked, "");
        StringBuilder said = new StringBuilder();
        StringBuilder shown = new StringBuilder();
        for (int i = peer.upTo(12); i >= 0 && search.found().isEmpty(); i--) {
            String more = letters(peer, alphabet, peer.upTo(3));
            said.append(more);
            shown.append(search.add(more, true, i == 0));
            assertThat(said.toString()).startsWith(shown.toString());
        }
        int first = stops.stream()
                .mapToInt(said::indexOf)
                .filter(at -> at >= 0)
                .min()
                .orElse(-1);
        assertThat(search.found().isPresent()).isEqualTo(first >= 0);
        if (first < 0) {
            assertThat(shown).hasToString(said.toString());
        } else {
            String stop = search.found().orElseThrow();
            int at = said.indexOf(stop);
            assertThat(shown).hasToString(said.substring(0, include ? at + stop.length() : at));
        }
    }

    private static String letters(Hostile peer, String alphabet, int count) {
        int[] letters = alphabet.codePoints().toArray();
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.appendCodePoint(letters[peer.random.nextInt(letters.length)]);
        }
        return text.toString();
    }

    /** Whatever order things come in, all memory is given back, and what is said to be known is known. */
    private void recorder(Hostile peer) {
        MemoryBudget budget = new MemoryBudget(peer.oneIn(2) ? 2000 : 1 << 20);
        TokenRecorder recorder = new TokenRecorder(budget);
        List<Integer> answer = new ArrayList<>();
        int settled = 0;
        for (int i = peer.upTo(400); i > 0; i--) {
            switch (peer.random.nextInt(40)) {
                case 0 -> {
                    recorder.settle();
                    settled = answer.size();
                }
                case 1 -> {
                    recorder.rollBack();
                    answer.subList(settled, answer.size()).clear();
                }
                case 2 -> recorder.prompt(i);
                case 3 -> recorder.forgetBorrowed();
                case 4 -> recorder.relearnPrompt(new int[peer.upTo(3)], budget);
                default -> {
                    recorder.generated(i);
                    answer.add(i);
                }
            }
            assertThat(budget.taken()).isBetween(0L, 1L << 20);
        }
        assertThat(recorder.generated()).isEqualTo(answer.size());
        if (recorder.knowsAnswer() && recorder.knowsPrompt()) {
            int[] all = StreamRelayTest.soFar(recorder);
            assertThat(Arrays.copyOfRange(all, recorder.promptTokens(), all.length))
                    .containsExactly(answer.subList(0, settled).stream()
                            .mapToInt(Integer::intValue)
                            .toArray());
        }
        recorder.release();
        recorder.release();
        assertThat(budget.taken()).isZero();
    }
}
