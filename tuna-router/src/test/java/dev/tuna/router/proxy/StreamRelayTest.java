package dev.tuna.router.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.router.RoutePolicy;
import dev.tuna.router.http.ClientWishes;
import dev.tuna.router.http.RequestTarget;
import dev.tuna.router.http.SseScanner;
import dev.tuna.router.stream.TokenRecorder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** However a stream is cut into reads, ids are taken out of it and written down, and nothing else changes. */
class StreamRelayTest {

    /** Everything that reaches the client, and how it ended. */
    private static final class Client implements Relay.Sink {
        private final ByteArrayOutputStream got = new ByteArrayOutputStream();
        private boolean complete;
        private boolean failed;

        String text() {
            return got.toString(StandardCharsets.UTF_8);
        }

        @Override
        public void firstEvents() {}

        @Override
        public void events(ByteBuf data) {
            byte[] bytes = new byte[data.readableBytes()];
            data.readBytes(bytes);
            got.writeBytes(bytes);
            data.release();
        }

        @Override
        public void backendFailed(ByteBuf lastWords, boolean told) {
            lastWords.release();
            failed = true;
        }

        @Override
        public void streamComplete() {
            complete = true;
        }

        @Override
        public void didNotGoOn(String why) {
            throw new AssertionError(why);
        }
    }

    private static final String HEAD =
            "{\"id\":\"c-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,";

    static Continuation continuation() {
        ByteBuf body = Unpooled.copiedBuffer("{\"model\":\"m\",\"stream\":true}", StandardCharsets.UTF_8);
        ClientRequest request = new ClientRequest(
                HttpMethod.POST,
                new RequestTarget(RequestTarget.Kind.INFERENCE, Bench.CHAT, Bench.CHAT),
                HttpVersion.HTTP_1_1,
                new DefaultHttpHeaders(),
                "r",
                body,
                true,
                1,
                OptionalLong.empty(),
                new ClientWishes(true, true, Optional.empty(), false, Optional.empty()));
        @Nullable
        Continuation made = Continuation.of(request, RoutePolicy.Continuation.DEFAULT, new MemoryBudget(64 << 20));
        if (made == null) {
            throw new AssertionError("a plain chat can be continued");
        }
        return made;
    }

    private static String ids(int from, int count) {
        return IntStream.range(from, from + count)
                .mapToObj(Integer::toString)
                .collect(Collectors.joining(",", "[", "]"));
    }

    /** A stream with its ids, or as it would be without, and how many ids are in it. */
    private record Sample(String with, String without, int prompt, int answer) {}

    private static Sample sample(Random random) {
        StringBuilder with = new StringBuilder();
        StringBuilder without = new StringBuilder();
        int prompt = 1 + random.nextInt(40);
        String role = HEAD + "\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null";
        with.append("data: ").append(role).append("}],\"prompt_token_ids\":").append(ids(0, prompt));
        with.append(random.nextBoolean() ? ",\"usage\":null}\n\n" : "}\n\n");
        without.append("data: ").append(role).append(with.indexOf("usage") < 0 ? "}]}\n\n" : "}],\"usage\":null}\n\n");
        int answer = 0;
        for (int i = 0; i < 12; i++) {
            int count = 1 + random.nextInt(3);
            String text = random.nextInt(4) == 0
                    ? ""
                    : "a \\\"token_ids\\\":[1] \u00e9 [DONE] }], " + ids(i, random.nextInt(4));
            String delta = "\"delta\":{\"content\":\"" + text + "\"}";
            String more = random.nextBoolean() ? ",\"logprobs\":{\"token_ids\":[5]}" : "";
            switch (random.nextInt(3)) {
                case 0 ->
                    with.append("data: " + HEAD + delta + more + ",\"token_ids\":" + ids(answer, count) + "}]}\n\n");
                case 1 ->
                    with.append("data: " + HEAD + "\"token_ids\": " + ids(answer, count) + " ," + delta + more
                            + "}]}\r\n\r\n");
                default ->
                    with.append("data: {\"choices\":[{\"token_ids\":" + ids(answer, count)
                            + ",\"prompt_token_ids\":null," + delta + more + "}]}\n\n");
            }
            int last = Math.max(with.lastIndexOf("data: {\"choices"), with.lastIndexOf("data: {\"id"));
            String event = with.substring(last);
            without.append(event.replaceFirst(",\"prompt_token_ids\":null", "")
                    .replaceFirst("(?<!logprobs\":\\{)(,\"token_ids\": ?\\[[\\d,]*] ?(?=[,}]))", "")
                    .replaceFirst("\\[\\{\"token_ids\":\\[[\\d,]*],", "[{"));
            answer += count;
        }
        String end = "data: " + HEAD + "\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
        with.append(end);
        without.append(end);
        return new Sample(with.toString(), without.toString(), prompt, answer);
    }

    private static void feed(StreamRelay relay, byte[] bytes, List<Integer> cuts) {
        int from = 0;
        for (int cut : cuts) {
            ByteBuf read = ByteBufAllocator.DEFAULT.directBuffer(cut - from + 1);
            relay.accept(read.writeBytes(bytes, from, cut - from));
            from = cut;
        }
    }

    private static void check(Sample sample, List<Integer> cuts) {
        Continuation continuation = continuation();
        Client client = new Client();
        StreamRelay relay = new StreamRelay(
                new SseScanner(1, continuation.recorder()), client, ByteBufAllocator.DEFAULT, continuation, true);
        feed(relay, sample.with().getBytes(StandardCharsets.UTF_8), cuts);
        assertThat(client.text()).as("cut at %s", cuts).isEqualTo(sample.without());
        assertThat(client.complete).isTrue();
        assertThat(client.failed).isFalse();
        assertThat(continuation.recorder().promptTokens()).isEqualTo(sample.prompt());
        assertThat(continuation.recorder().generated()).isEqualTo(sample.answer());
        assertThat(soFar(continuation.recorder()))
                .endsWith(IntStream.range(0, sample.answer()).toArray());
    }

    static int[] soFar(TokenRecorder recorder) {
        return IntStream.range(0, recorder.soFar()).map(recorder::soFar).toArray();
    }

    @Test
    @DisplayName("cut in two at every byte")
    void everySplit() {
        for (int seed = 0; seed < 6; seed++) {
            Sample sample = sample(new Random(seed));
            int length = sample.with().getBytes(StandardCharsets.UTF_8).length;
            for (int cut = 0; cut <= length; cut++) {
                check(sample, List.of(cut, length));
            }
        }
    }

    @Test
    @DisplayName("cut into random pieces, small and large")
    void randomPieces() {
        for (int seed = 0; seed < 600; seed++) {
            Random random = new Random(seed);
            Sample sample = sample(random);
            int length = sample.with().getBytes(StandardCharsets.UTF_8).length;
            int most = 1 + random.nextInt(seed % 3 == 0 ? 4 : 200);
            int[] cuts = IntStream.iterate(0, at -> at < length, at -> at + 1 + random.nextInt(most))
                    .toArray();
            List<Integer> all = Arrays.stream(cuts).boxed().collect(Collectors.toList());
            all.add(length);
            check(sample, all);
        }
    }

    /** What the client has of a stream that came as these two pieces and did not end. */
    private static String shown(String first, String second) {
        Continuation continuation = continuation();
        Client client = new Client();
        StreamRelay relay = new StreamRelay(
                new SseScanner(1, continuation.recorder()), client, ByteBufAllocator.DEFAULT, continuation, true);
        byte[] bytes = (first + second).getBytes(StandardCharsets.UTF_8);
        feed(relay, bytes, List.of(first.length(), bytes.length));
        relay.release();
        continuation.release();
        return client.text() + (client.failed ? "failed" : "");
    }

    @Test
    @DisplayName("ids that a line's end breaks off swallow nothing behind it, wherever the stream is cut in two")
    void brokenOffIds() {
        String said = "data: " + HEAD + "\"delta\":{\"content\":\"a\"}";
        String next = "data: " + HEAD + "\"delta\":{\"content\":\"b\"}}]}\n\n";
        for (String end : List.of("\n\n", "\r\n\r\n")) {
            for (String ids : List.of(",\"token_ids\":[", ",\"token_ids\":[1", ",\"token_ids\":[1,")) {
                String all = said + ids + end + next;
                for (int cut = 0; cut <= all.length(); cut++) {
                    assertThat(shown(all.substring(0, cut), all.substring(cut)))
                            .as("cut at %d", cut)
                            .isEqualTo(said + end + next);
                }
            }
        }
    }

    @Test
    @DisplayName("what comes between the first text and a failure is passed on, wherever the stream is cut in two")
    void betweenTextAndFailure() {
        String said = "data: " + HEAD + "\"delta\":{\"content\":\"a\"}}]}\n\n";
        String role = "data: " + HEAD + "\"delta\":{\"role\":\"assistant\"}}]}\n\n";
        String all = said + role + "data: " + HEAD + "\"delta\":{},\"finish_reason\":\"abort\"}]}\n\n";
        for (int cut = 0; cut <= all.length(); cut++) {
            assertThat(shown(all.substring(0, cut), all.substring(cut)))
                    .as("cut at %d", cut)
                    .isEqualTo(said + role + "failed");
        }
    }

    @Test
    @DisplayName("the ids of a prompt as long as a book are not held back in memory, nor shown")
    void hugePrompt() {
        Continuation continuation = continuation();
        Client client = new Client();
        StreamRelay relay = new StreamRelay(
                new SseScanner(1, continuation.recorder()), client, ByteBufAllocator.DEFAULT, continuation, true);
        String role = HEAD + "\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]";
        String with = "data: " + role + ",\"prompt_token_ids\":" + ids(0, 200_000) + "}\n\n";
        byte[] bytes = with.getBytes(StandardCharsets.UTF_8);
        feed(
                relay,
                bytes,
                IntStream.rangeClosed(1, bytes.length / 8192)
                        .mapToObj(i -> i * 8192)
                        .toList());
        assertThat(client.text()).as("nothing generated yet").isEmpty();
        feed(relay, Arrays.copyOfRange(bytes, bytes.length / 8192 * 8192, bytes.length), List.of(bytes.length % 8192));
        String text = "data: " + HEAD + "\"delta\":{\"content\":\"x\"},\"token_ids\":[7]}]}\n\n";
        feed(relay, text.getBytes(StandardCharsets.UTF_8), List.of(text.length()));
        assertThat(client.text()).isEqualTo("data: " + role + "}\n\n" + text.replace(",\"token_ids\":[7]", ""));
        assertThat(continuation.recorder().promptTokens()).isEqualTo(200_000);
    }
}
