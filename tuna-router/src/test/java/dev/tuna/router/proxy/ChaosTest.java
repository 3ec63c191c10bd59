package dev.tuna.router.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RoutePolicy;
import dev.tuna.router.RouterConfig;
import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.Fault.Moment;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Hundreds of clients of all kinds while replicas are killed, terminated, frozen, spoilt, noticed and added all the time.
 * Nobody's request fails, no text is lost or doubled, nothing that was cut looks whole, and nothing is kept in the end.
 */
class ChaosTest {

    /** How long the full run lasts, in seconds. */
    private static final String SECONDS = "tuna.soak.seconds";

    private static final long SEED = 20261125;
    private static final String COMPLETIONS = "/v1/completions";

    /** All that is kept for bodies, and for streams that run. */
    private static final int MEMORY = 4 << 20;

    /**
     * Quick to notice silence. How often one stream may move is a matter of policy; what is asked here is whether any move
     * does harm.
     */
    private static final RoutePolicy POLICY = RoutePolicy.builder()
            .firstTokenTimeout(Duration.ofMillis(2500))
            .idleTimeout(Duration.ofMillis(1500))
            .heartbeat(Duration.ofMillis(500))
            .continuation(new RoutePolicy.Continuation(
                    RoutePolicy.Continuation.Mode.EXACT, Integer.MAX_VALUE, Duration.ofSeconds(20)))
            .build();

    /** What a client of one kind does, and what it may expect. */
    private enum Kind {
        STREAM(55),
        UNARY(23),
        SLOW_READER(8),
        LEAVER(9),
        /** Cannot be continued: it may fail, but must say so. */
        INEXACT(5);

        private final int percent;

        Kind(int percent) {
            this.percent = percent;
        }

        int percent() {
            return percent;
        }
    }

    private static final List<String> CHAT_WISHES = List.of(
            "",
            ",'stream_options':{'include_usage':true}",
            ",'stream_options':{'include_usage':true,'continuous_usage_stats':true}",
            ",'return_token_ids':true,'stream_options':{'include_usage':true}",
            ",'max_tokens':20,'seed':7",
            ",'logprobs':true,'top_logprobs':2",
            ",'stop':['zzz','STOP'],'stream_options':{'include_usage':true}",
            ",'tools':[{'type':'function','function':{'name':'weather','parameters':{}}}]");

    private static final List<String> COMPLETION_WISHES = List.of(
            ",'max_tokens':60,'ignore_eos':true,'stream_options':{'include_usage':true}",
            ",'max_tokens':40,'logprobs':1",
            ",'max_tokens':50,'stop':['STOP','never'],'return_token_ids':true",
            "");

    private static final String LONG =
            ",'max_tokens':300,'ignore_eos':true,'logprobs':1,'return_token_ids':true,'stream_options':{'include_usage':true}";
    private static final String PENALTY = ",'presence_penalty':0.5,'stream_options':{'include_usage':true}";

    private static final Pattern CONTINUED =
            Pattern.compile("tuna_router_continuations_total\\{[^}]*method=\"([a-z_]+)\",result=\"(\\w+)\"} (\\d+)");

    /** A request and the answer that it has from a server with which nothing ever happens. */
    private record Query(String path, String body, boolean stream, SpliceRun streamed, JsonNode whole) {}

    private final Map<Kind, List<Query>> queries = new EnumMap<>(Kind.class);
    private final Map<Kind, LongAdder> asked = new EnumMap<>(Kind.class);
    private final Queue<String> flaws = new ConcurrentLinkedQueue<>();
    private final AtomicInteger failed = new AtomicInteger();
    private final AtomicInteger wrong = new AtomicInteger();
    private final AtomicInteger cutButClean = new AtomicInteger();
    private final LongAdder honest = new LongAdder();
    private final LongAdder seams = new LongAdder();
    private final LongAdder bytes = new LongAdder();
    private volatile boolean over;

    @Test
    @DisplayName("a few seconds of chaos: nobody's request fails, no text is lost or doubled, nothing is kept")
    void sample() throws Exception {
        run(60, 3, Duration.ofSeconds(4), Duration.ofMillis(250), 60);
    }

    @Test
    @Tag("full")
    @DisplayName(
            "minutes of chaos under 500 clients: nobody's request fails, no text is lost or doubled, nothing is kept")
    void soak() throws Exception {
        run(500, 20, Duration.ofSeconds(Integer.getInteger(SECONDS, 300)), Duration.ofSeconds(1), 10);
    }

    private void run(int clients, int questions, Duration length, Duration step, double tokensPerSecond)
            throws Exception {
        RouterConfig config = RouterConfig.builder()
                .port(0)
                .ioThreads(2)
                .maxBufferedBytes(MEMORY)
                .maxBodyBytes(MEMORY)
                .maxContinuationBytes(2 * MEMORY) // a request is kept, and written once more to go on
                .build();
        try (Bench bench = new Bench(config);
                LoggedErrors logged = LoggedErrors.listen();
                VllmStandIn cloud = cloud(tokensPerSecond);
                VllmStandIn otherCloud = cloud(tokensPerSecond);
                ChaosFleet fleet = new ChaosFleet(SEED, step, tokensPerSecond)) {
            List<RouteBackend> serverless =
                    List.of(Bench.serverless("cloud", cloud.uri()), Bench.serverless("other-cloud", otherCloud.uri()));
            ask(questions);
            bench.router.put(Bench.route(serverless, fleet.backends(), POLICY));
            long heap = usedHeap();
            long began = System.nanoTime();
            List<Thread> all = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                Random random = new Random(SEED + i);
                all.add(new Thread(null, () -> client(bench.port(), random), "client-" + i, 256 << 10));
            }
            all.forEach(Thread::start);
            while (System.nanoTime() - began < length.toNanos()) {
                LockSupport.parkNanos(step.toNanos());
                fleet.step();
                bench.router.put(Bench.route(serverless, fleet.backends(), POLICY));
            }
            over = true;
            fleet.calm();
            for (Thread client : all) {
                client.join();
            }
            TrafficStats traffic = bench.settled();
            print(bench, fleet, traffic, began, usedHeap() - heap);
            assertThat(flaws).isEmpty();
            assertThat(failed).as("failed requests").hasValue(0);
            assertThat(wrong).as("answers with lost or doubled text").hasValue(0);
            assertThat(cutButClean).as("cut answers that look whole").hasValue(0);
            assertThat(traffic.requests())
                    .isEqualTo(asked.values().stream().mapToLong(LongAdder::sum).sum());
            assertThat(traffic.failed()).isEqualTo(honest.sum());
            assertThat(traffic.clientErrors()).isLessThanOrEqualTo(asked(Kind.LEAVER));
            assertThat(traffic.rejected()).isZero();
            assertThat(bench.load().backends().values()).allMatch(load -> load.inFlight() == 0);
            assertThat(usedHeap() - heap).as("bytes of heap kept").isLessThan(32 << 20);
            assertAllMemoryIsThere(bench, serverless);
            assertThat(logged.lines()).isEmpty();
        }
    }

    private static VllmStandIn cloud(double tokensPerSecond) {
        return VllmStandIn.builder()
                .tokensPerSecond(2 * tokensPerSecond)
                .capacity(4096)
                .keepRequests(0)
                .start();
    }

    private static long usedHeap() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    private long asked(Kind kind) {
        LongAdder count = asked.get(kind);
        return count == null ? 0 : count.sum();
    }

    // --- what is asked, and what the answer is ---

    private void ask(int questions) throws IOException {
        for (Kind kind : Kind.values()) {
            queries.put(kind, new ArrayList<>());
            asked.put(kind, new LongAdder());
        }
        try (VllmStandIn unhurried = VllmStandIn.builder().keepRequests(0).start();
                WireClient client = WireClient.to(unhurried.port())) {
            for (int i = 0; i < questions; i++) {
                String chat =
                        "{'model':'" + Bench.MODEL + "','messages':[{'role':'user','content':'question " + i + "'}]";
                String completion = "{'model':'" + Bench.MODEL + "','prompt':'once upon a time " + i + "'";
                for (String wish : CHAT_WISHES) {
                    add(client, Bench.CHAT, chat + wish);
                }
                for (String wish : COMPLETION_WISHES) {
                    add(client, COMPLETIONS, completion + wish);
                }
                queries(Kind.SLOW_READER).add(query(client, COMPLETIONS, completion + LONG, true));
                queries(Kind.INEXACT).add(query(client, Bench.CHAT, chat + PENALTY, true));
            }
        }
    }

    private List<Query> queries(Kind kind) {
        return Objects.requireNonNull(queries.get(kind));
    }

    private void add(WireClient client, String path, String body) throws IOException {
        Query streamed = query(client, path, withStopThatComes(client, path, body), true);
        queries(Kind.STREAM).add(streamed);
        queries(Kind.LEAVER).add(streamed);
        if (!body.contains("stream_options")) {
            queries(Kind.UNARY).add(query(client, path, withStopThatComes(client, path, body), false));
        }
    }

    private static Query query(WireClient client, String path, String begun, boolean stream) throws IOException {
        String body = (begun + (stream ? ",'stream':true}" : "}")).replace('\'', '"');
        client.send(path, body);
        WireClient.Head head = client.head();
        String answer = client.body();
        assertThat(head.status()).as(answer).isEqualTo(200);
        return stream
                ? new Query(path, body, true, run(answer), Bench.json("{}"))
                : new Query(path, body, false, SpliceRun.NOTHING, lasting(answer));
    }

    /** A fleet in which some tell ids before their text does not tell offsets that can be compared. */
    private static SpliceRun run(String streamed) {
        return SpliceRun.of(streamed).withoutOffsets();
    }

    /** What does not differ from one time to the next. */
    private static JsonNode lasting(String whole) {
        ObjectNode json = (ObjectNode) Bench.json(whole);
        json.remove(List.of("id", "created"));
        return json;
    }

    /** A stop string that comes in the middle of the answer, over several tokens, in place of {@code STOP}. */
    private static String withStopThatComes(WireClient client, String path, String body) throws IOException {
        if (!body.contains("STOP")) {
            return body;
        }
        String text = query(client, path, body.replace("STOP", "nowhere at all"), true)
                .streamed()
                .text();
        int middle = text.length() / 2;
        String stop = Bench.JSON.writeValueAsString(text.substring(middle, Math.min(text.length(), middle + 9)));
        return body.replace("STOP", stop.substring(1, stop.length() - 1));
    }

    // --- clients ---

    private void client(int port, Random random) {
        while (!over) {
            Kind kind = ChaosFleet.draw(Kind.values(), Kind::percent, random);
            List<Query> all = queries(kind);
            Query query = all.get(random.nextInt(all.size()));
            Objects.requireNonNull(asked.get(kind)).increment();
            try {
                switch (kind) {
                    case SLOW_READER -> readSlowly(port, query, random);
                    case LEAVER -> leave(port, query, random);
                    default -> converse(port, query, kind);
                }
            } catch (IOException | RuntimeException | AssertionError e) {
                failed.incrementAndGet();
                flaw(kind, query, e.toString());
            }
        }
    }

    private void converse(int port, Query query, Kind kind) throws IOException {
        try (WireClient client = WireClient.to(port)) {
            client.send(query.path(), query.body());
            WireClient.Head head = client.head();
            judge(kind, query, head, client.body());
        }
    }

    private void readSlowly(int port, Query query, Random random) throws IOException {
        try (WireClient client = WireClient.narrow(port)) {
            client.send(query.path(), query.body());
            WireClient.Head head = client.head();
            ByteArrayOutputStream body = new ByteArrayOutputStream();
            for (byte[] piece = client.piece(); piece.length > 0; piece = client.piece()) {
                body.writeBytes(piece);
                if (random.nextInt(20) == 0) {
                    LockSupport.parkNanos(random.nextInt(200) * 1_000_000L);
                }
            }
            judge(Kind.SLOW_READER, query, head, body.toString(StandardCharsets.UTF_8));
        }
    }

    /** What came until then must be the beginning of the answer. */
    private void leave(int port, Query query, Random random) throws IOException {
        try (WireClient client = WireClient.to(port)) {
            client.send(query.path(), query.body());
            int pieces = random.nextInt(30);
            if (pieces == 0) {
                return;
            }
            WireClient.Head head = client.head();
            ByteArrayOutputStream body = new ByteArrayOutputStream();
            for (byte[] piece = client.piece(); piece.length > 0 && pieces-- > 0; piece = client.piece()) {
                body.writeBytes(piece);
            }
            String begun = body.toString(StandardCharsets.UTF_8);
            int whole = begun.lastIndexOf("\n\n");
            if (head.status() != 200) {
                judge(Kind.LEAVER, query, head, begun);
            } else if (whole >= 0) {
                assertBegins(Kind.LEAVER, query, SpliceRun.of(begun.substring(0, whole + 2)));
            }
        }
    }

    private void assertBegins(Kind kind, Query query, SpliceRun got) {
        SpliceRun all = query.streamed();
        if (!all.text().startsWith(got.text())
                || !all.reasoning().startsWith(got.reasoning())
                || got.ids().size() > all.ids().size()
                || !all.ids().subList(0, got.ids().size()).equals(got.ids())) {
            wrong.incrementAndGet();
            flaw(kind, query, "got      " + got);
        }
    }

    private void judge(Kind kind, Query query, WireClient.Head head, String body) {
        bytes.add(body.length());
        if (head.status() != 200) {
            failed.incrementAndGet();
            flaw(kind, query, head + " " + body);
        } else if (!query.stream()) {
            if (!lasting(body).equals(query.whole())) {
                cutButClean.incrementAndGet();
                flaw(kind, query, "got      " + body);
            }
        } else {
            seams.add(body.split(": continued by", -1).length - 1);
            judgeStream(kind, query, body);
        }
    }

    private void judgeStream(Kind kind, Query query, String body) {
        SpliceRun got = run(body);
        if (got.equals(query.streamed())) {
            return;
        }
        if (body.contains("data: [DONE]")) {
            boolean cut = got.text().length() < query.streamed().text().length();
            (cut ? cutButClean : wrong).incrementAndGet();
            flaw(kind, query, "got      " + got + "\n" + body);
        } else if (kind == Kind.INEXACT && got.flaw().contains("error ")) {
            honest.increment();
            assertBegins(kind, query, got);
        } else {
            failed.incrementAndGet();
            flaw(kind, query, "got      " + got + "\n" + body);
        }
    }

    private void flaw(Kind kind, Query query, String what) {
        if (flaws.size() < 10) {
            flaws.add(kind + " " + query.path() + " " + query.body() + "\n" + what + "\nexpected "
                    + (query.stream() ? query.streamed() : query.whole()) + "\n");
        }
    }

    // --- afterwards ---

    /** Each budget is there again to the last KiB: one request that needs nearly all of it is served, and continued. */
    private void assertAllMemoryIsThere(Bench bench, List<RouteBackend> serverless) throws IOException {
        try (VllmStandIn doomed = VllmStandIn.start();
                WireClient client = WireClient.to(bench.port())) {
            doomed.inject(Fault.reset(Moment.atToken(9)));
            bench.router.put(Bench.route(serverless, List.of(Bench.spot("doomed", doomed.uri())), POLICY));
            String begun = "{\"model\":\"" + Bench.MODEL + "\",\"prompt\":\"x\",\"stream\":true,\"user\":\"";
            client.send(COMPLETIONS, begun + "u".repeat(MEMORY - 1024 - begun.length()) + "\"}");
            assertThat(client.head().status()).isEqualTo(200);
            assertThat(client.body())
                    .contains(": continued by completion_tokens")
                    .endsWith("data: [DONE]\n\n");
        }
    }

    private void print(Bench bench, ChaosFleet fleet, TrafficStats traffic, long began, long kept) {
        StringBuilder moved = new StringBuilder();
        Matcher continued = CONTINUED.matcher(bench.router.metrics());
        while (continued.find()) {
            moved.append(continued.group(1) + " " + continued.group(2) + " " + continued.group(3) + ", ");
        }
        System.out.printf(
                "chaos: %.0f s, %s, %d replicas launched, asked %s, %s%n"
                        + "  failed %d, wrong text %d, cut but clean %d, honestly broken (not to be continued) %d;"
                        + " seams seen %d, continuations %sbackend failures %d, %.1f MB of answers, heap kept %d KiB%n",
                (System.nanoTime() - began) / 1e9,
                fleet.counts(),
                fleet.launched(),
                asked,
                traffic,
                failed.get(),
                wrong.get(),
                cutButClean.get(),
                honest.sum(),
                seams.sum(),
                moved,
                bench.failures.size(),
                bytes.sum() / 1e6,
                kept >> 10);
    }
}
