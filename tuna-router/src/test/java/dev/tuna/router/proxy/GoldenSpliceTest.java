package dev.tuna.router.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.router.RouteBackend;
import dev.tuna.router.RoutePolicy;
import dev.tuna.router.RouterConfig;
import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.Fault.Moment;
import dev.tuna.testkit.vllm.RecordedRequest;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A stream is cut at a token and continued on another backend; what the client gets must equal the unbroken run, in every
 * way that a client could ask to see it.
 */
class GoldenSpliceTest {

    private static final int CONCURRENT = 96;
    private static final String[] QUESTIONS = {
        "Where does the river go?", "a boat", "Why is the sea salt? Say it twice."
    };

    /** Impatient with stalls, and never put off by how often the first backend fails. */
    private static final RoutePolicy POLICY = RoutePolicy.builder()
            .firstTokenTimeout(Duration.ofSeconds(1))
            .idleTimeout(Duration.ofMillis(400))
            .heartbeat(Duration.ZERO)
            .breaker(new RoutePolicy.Breaker(Integer.MAX_VALUE, Duration.ZERO, 1, 1, Duration.ZERO))
            .build();

    private record Cut(String name, IntFunction<Fault> at) {}

    private static final List<Cut> CUTS = List.of(
            new Cut("reset", token -> Fault.reset(Moment.atToken(token))),
            new Cut("eof", token -> Fault.eof(Moment.atToken(token))),
            new Cut("abort", Fault::abort),
            new Cut("error", Fault::errorEvent),
            new Cut("stall", token -> Fault.stall(Moment.atToken(token))));

    /** What a client asks for beside its question. */
    private static final List<String> WISHES = List.of(
            "",
            ",'stream_options':{'include_usage':true}",
            ",'stream_options':{'include_usage':true,'continuous_usage_stats':true}",
            ",'return_token_ids':true,'stream_options':{'include_usage':true}",
            ",'max_tokens':20,'stream_options':{'include_usage':true}",
            ",'min_tokens':40,'max_tokens':150,'stream_options':{'include_usage':true}",
            ",'ignore_eos':true,'max_tokens':130,'seed':7,'temperature':0",
            ",'repetition_penalty':1.1,'logit_bias':{'5':1},'n':1,'presence_penalty':0",
            ",'stop':['nowhere to be found','never'],'stream_options':{'include_usage':true}",
            ",'stop':'STOP','stream_options':{'include_usage':true},'return_token_ids':true",
            ",'stop':['zzz','STOP'],'include_stop_str_in_output':true,'stream_options':{'include_usage':true}",
            ",'stop':',','stream_options':{'include_usage':true}");

    private static final List<String> CHAT_WISHES = List.of(
            ",'logprobs':true,'top_logprobs':2",
            ",'max_completion_tokens':33,'return_token_ids':true",
            ",'tools':[{'type':'function','function':{'name':'weather','parameters':{}}}],'tool_choice':'auto'",
            ",'response_format':{'type':'text'},'tool_choice':'none'");

    private static final List<String> COMPLETION_WISHES = List.of(
            ",'logprobs':1,'max_tokens':90",
            ",'logprobs':1,'max_tokens':90,'stop':['zzz','STOP']",
            ",'ignore_eos':true,'max_tokens':90",
            ",'max_tokens':64,'echo':false");

    private static final String CHAT = Bench.CHAT;
    private static final String COMPLETIONS = "/v1/completions";

    private record Question(String path, String body) {}

    private final AtomicInteger cuts = new AtomicInteger();
    private final Queue<String> mismatches = new ConcurrentLinkedQueue<>();

    @Test
    @DisplayName("a sample of all cuts: the client's stream equals the unbroken one")
    void sample() throws Exception {
        Random random = new Random(20261125);
        run(1, () -> random.nextInt(100) < 3);
        assertThat(cuts.get()).isGreaterThan(200);
        assertThat(mismatches).isEmpty();
    }

    @Test
    @Tag("full")
    @DisplayName("every cut, every kind of break, every exact method: the client's stream equals the unbroken one")
    void everyCut() throws Exception {
        long begin = System.nanoTime();
        run(QUESTIONS.length, () -> true);
        System.out.printf(
                "golden splice: %d cuts, %d mismatches, %.1f s%n",
                cuts.get(), mismatches.size(), (System.nanoTime() - begin) / 1e9);
        assertThat(cuts.get()).isGreaterThanOrEqualTo(20_000);
        assertThat(mismatches).isEmpty();
    }

    private interface Chosen {
        boolean next();
    }

    private void run(int questions, Chosen chosen) throws Exception {
        List<Question> all = new ArrayList<>();
        for (int i = 0; i < questions; i++) {
            String question = QUESTIONS[i];
            for (String wish : WISHES) {
                all.add(new Question(CHAT, chat(question, wish)));
                all.add(new Question(COMPLETIONS, completion(question, wish)));
            }
            CHAT_WISHES.forEach(wish -> all.add(new Question(CHAT, chat(question, wish))));
            COMPLETION_WISHES.forEach(wish -> all.add(new Question(COMPLETIONS, completion(question, wish))));
            all.add(new Question(
                    COMPLETIONS,
                    ("{'model':'" + Bench.MODEL + "','prompt':[300,301,302,303],'max_tokens':50,'stream':true}")
                            .replace('\'', '"')));
        }
        try (Bench bench = new Bench(RouterConfig.builder().port(0).ioThreads(1).build());
                VllmStandIn first = quiet(true, false);
                VllmStandIn second = quiet(true, false);
                VllmStandIn old = quiet(false, false);
                VllmStandIn firstThinker = quiet(true, true);
                VllmStandIn secondThinker = quiet(true, true)) {
            faults(first);
            faults(firstThinker);
            cut(bench, first, second, all, chosen);
            // Reasoning stays reasoning beyond the seam. Stop strings beside it are not continued.
            List<Question> chats = all.stream()
                    .filter(question -> question.path().equals(CHAT)
                            && !question.body().contains("stop\":[")
                            && !question.body().contains("STOP"))
                    .toList();
            cut(bench, firstThinker, secondThinker, chats, chosen);
            // A server that ignores the ids on its chat endpoint is continued on at the completions endpoint.
            List<Question> plain = all.stream()
                    .filter(question -> !question.body().contains("logprobs")
                            && !question.body().contains("tools")
                            && question.path().equals(CHAT))
                    .toList();
            cut(bench, first, old, plain, chosen);
        }
    }

    private static VllmStandIn quiet(boolean current, boolean reasoning) {
        return VllmStandIn.builder()
                .honoursPromptTokenIds(current)
                .reasoning(reasoning)
                .keepRequests(0)
                .start();
    }

    private static String chat(String question, String wish) {
        return "{\"model\":\"" + Bench.MODEL + "\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\""
                + question + "\"}]" + wish.replace('\'', '"') + "}";
    }

    private static String completion(String question, String wish) {
        return "{\"model\":\"" + Bench.MODEL + "\",\"stream\":true,\"prompt\":\"" + question + "\""
                + wish.replace('\'', '"') + "}";
    }

    /** The first backend does what a request's header says. */
    private static void faults(VllmStandIn first) {
        for (Cut cut : CUTS) {
            for (int token = 0; token < 200; token++) {
                String name = cut.name() + token;
                first.inject(cut.at().apply(token).when(request -> asksFor(request, name)));
            }
        }
    }

    private static boolean asksFor(RecordedRequest request, String name) {
        return request.header("x-cut").filter(name::equals).isPresent();
    }

    private void cut(Bench bench, VllmStandIn first, VllmStandIn second, List<Question> questions, Chosen chosen)
            throws Exception {
        List<RouteBackend> rest = List.of(Bench.serverless("second", second.uri()));
        for (Question raw : questions) {
            bench.router.remove("tuna-1"); // and with it its retry budget, which cuts before the first text use up
            bench.router.put(Bench.route(rest, List.of(Bench.spot("first", first.uri())), POLICY));
            cut(bench, raw, chosen);
        }
    }

    private void cut(Bench bench, Question raw, Chosen chosen) throws Exception {
        Semaphore places = new Semaphore(CONCURRENT);
        List<CompletableFuture<Void>> answers = new ArrayList<>();
        Question question = withStopThatComes(bench, raw);
        String unbroken = post(bench, question, "none").get();
        SpliceRun whole = SpliceRun.of(unbroken);
        assertThat(whole.flaw()).as(unbroken).isEmpty();
        int tokens = tokens(bench, question);
        for (Cut cut : CUTS) {
            for (int token = 0; token < tokens; token++) {
                if (chosen.next()) {
                    places.acquire();
                    String name = cut.name() + token;
                    answers.add(post(bench, question, name)
                            .thenAccept(body -> compare(question, name, whole, body))
                            .whenComplete((done, failure) -> places.release()));
                }
            }
        }
        for (CompletableFuture<Void> answer : answers) {
            answer.get();
        }
    }

    private void compare(Question question, String cut, SpliceRun whole, String body) {
        cuts.incrementAndGet();
        SpliceRun broken = SpliceRun.of(body);
        if (!broken.equals(whole) && mismatches.size() < 20) {
            mismatches.add(question + " cut " + cut + "\n  was      " + broken + "\n  not      " + whole + "\n");
        }
    }

    /** How many tokens the answer has. */
    private static int tokens(Bench bench, Question question) throws Exception {
        String counting = question.body().replace("\"return_token_ids\":true", "\"user\":\"x\"");
        counting = counting.substring(0, counting.length() - 1) + ",\"return_token_ids\":true}";
        return SpliceRun.of(post(bench, new Question(question.path(), counting), "none")
                        .get())
                .ids()
                .size();
    }

    /** A stop string that comes in the middle of the answer, over several tokens, in place of {@code STOP}. */
    private static Question withStopThatComes(Bench bench, Question question) throws Exception {
        if (!question.body().contains("STOP")) {
            return question;
        }
        String plain = question.body().replace("\"STOP\"", "\"nowhere at all\"");
        String text = SpliceRun.of(post(bench, new Question(question.path(), plain), "none")
                        .get())
                .text();
        int middle = text.length() / 2;
        String stop = text.substring(middle, Math.min(text.length(), middle + 9));
        return new Question(question.path(), question.body().replace("\"STOP\"", Bench.JSON.writeValueAsString(stop)));
    }

    private static CompletableFuture<String> post(Bench bench, Question question, String cut) {
        return Bench.client()
                .sendAsync(bench.request(question.path(), question.body(), "x-cut", cut), BodyHandlers.ofString())
                .thenApply(answer -> answer.body());
    }
}
