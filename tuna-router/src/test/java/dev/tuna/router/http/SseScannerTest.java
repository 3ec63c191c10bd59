package dev.tuna.router.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.router.http.SseScanner.Verdict;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SseScannerTest {

    private static final String ROLE =
            "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,\"finish_reason\":null}],\"prompt_token_ids\":null}\n\n";
    private static final String HELLO =
            "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hell\\u00f6\"},\"finish_reason\":null}]}\n\n";
    private static final String STOP =
            "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\",\"stop_reason\":null}]}\n\n";
    private static final String USAGE =
            "data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"total_tokens\":5}}\n\n";
    private static final String DONE = "data: [DONE]\n\n";

    /** What a stream is made of, as letters: see {@link #letter}. */
    record Seen(String events, Verdict verdict) {}

    static Stream<Arguments> streams() {
        return Stream.of(
                stream("a chat", 1, "RCF.", Verdict.COMPLETE, ROLE + HELLO + STOP + DONE),
                stream("a chat with usage", 1, "RCFo.", Verdict.COMPLETE, ROLE + HELLO + STOP + USAGE + DONE),
                stream("a clean end after usage", 1, "RCFo", Verdict.COMPLETE, ROLE + HELLO + STOP + USAGE),
                stream("no end mark", 1, "RCF", Verdict.TRUNCATED, ROLE + HELLO + STOP),
                stream("no finish reason", 1, "RC.", Verdict.TRUNCATED, ROLE + HELLO + DONE),
                stream("usage without a finish reason", 1, "RCo", Verdict.TRUNCATED, ROLE + HELLO + USAGE),
                stream("only an end mark", 1, ".", Verdict.TRUNCATED, DONE),
                stream("nothing", 1, "", Verdict.TRUNCATED, ""),
                stream("half an event", 1, "R", Verdict.TRUNCATED, ROLE + HELLO.substring(0, 20)),
                stream(
                        "an abort that ends as if all were well",
                        1,
                        "RCA.",
                        Verdict.ABORTED,
                        ROLE + HELLO + STOP.replace("\"stop\"", "\"abort\"") + DONE),
                stream("an error reason", 1, "A.", Verdict.ABORTED, STOP.replace("\"stop\"", "\"error\"") + DONE),
                stream("an unknown reason", 1, "A.", Verdict.ABORTED, STOP.replace("\"stop\"", "\"melted\"") + DONE),
                stream(
                        "an empty reason is none",
                        1,
                        "o.",
                        Verdict.TRUNCATED,
                        STOP.replace("\"finish_reason\":\"stop\"", "\"finish_reason\":\"\"") + DONE),
                stream(
                        "an error in-band",
                        1,
                        "RE.",
                        Verdict.FAILED,
                        ROLE + "data: {\"error\":{\"message\":\"EngineDead\",\"code\":500}}\n\n" + DONE),
                stream(
                        "an error of null is none",
                        1,
                        "F.",
                        Verdict.COMPLETE,
                        STOP.replace("{\"id\"", "{\"error\":null,\"id\"") + DONE),
                stream("an error event by name", 1, "E", Verdict.FAILED, "event: error\ndata: overloaded\n\n"),
                stream(
                        "comments",
                        1,
                        "#R#CF.",
                        Verdict.COMPLETE,
                        ": keep-alive\n\n" + ROLE + ":\n\n" + HELLO + STOP + DONE),
                stream(
                        "CRLF",
                        1,
                        "#RCF.",
                        Verdict.COMPLETE,
                        (": hi\n\n" + ROLE + HELLO + STOP + DONE).replace("\n", "\r\n")),
                stream(
                        "no space behind the colon",
                        1,
                        "RCF.",
                        Verdict.COMPLETE,
                        (ROLE + HELLO + STOP + DONE).replace("data: ", "data:")),
                stream(
                        "other fields beside data",
                        1,
                        "CF.",
                        Verdict.COMPLETE,
                        "id: 7\nretry: 10\n" + HELLO + "event: message\n" + STOP + DONE),
                stream(
                        "data over several lines",
                        1,
                        "F.",
                        Verdict.COMPLETE,
                        "data: {\"choices\": [ {\ndata: \"index\" : 0 ,\ndata: \"finish_reason\" : \"length\" } ] }\n\n"
                                + DONE),
                stream(
                        "keys in another order",
                        1,
                        "F.",
                        Verdict.COMPLETE,
                        "data: {\"choices\":[{\"finish_reason\":\"stop\",\"delta\":{\"content\":\"x\"},\"index\":0}]}\n\n"
                                + DONE),
                stream(
                        "words inside strings fool nobody",
                        1,
                        "CCC.",
                        Verdict.TRUNCATED,
                        content("\\\"finish_reason\\\":\\\"stop\\\"")
                                + content("[DONE] {\\\"error\\\":1}")
                                + content("\\\\\\\",\\\"finish_reason\\\":\\\"abort\\\"")
                                + DONE),
                stream(
                        "words in other places fool nobody",
                        1,
                        "oo.",
                        Verdict.TRUNCATED,
                        "data: {\"x\":{\"choices\":[{\"finish_reason\":\"stop\"}],\"error\":1}}\n\n"
                                + "data: {\"choices\":[{\"index\":0,\"x\":{\"finish_reason\":\"stop\",\"delta\":{\"content\":\"t\"}},"
                                + "\"finish_reason\":null}]}\n\n" + DONE),
                stream(
                        "deep nesting",
                        1,
                        "CF.",
                        Verdict.COMPLETE,
                        "data: {\"choices\":[{\"index\":0,\"logprobs\":" + "[{\"a\":".repeat(100) + "\"finish_reason\""
                                + "}]".repeat(100) + ",\"delta\":{\"content\":\"x\"}}]}\n\n" + STOP + DONE),
                stream(
                        "reasoning is content",
                        1,
                        "CF.",
                        Verdict.COMPLETE,
                        "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning\":\"hm\"}}]}\n\n" + STOP + DONE),
                stream(
                        "a tool call is content",
                        1,
                        "CF.",
                        Verdict.COMPLETE,
                        "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":3,\"function\":{\"name\":\"f\"}}]}}]}\n\n"
                                + STOP.replace("stop\"", "tool_calls\"") + DONE),
                stream(
                        "an empty list of tool calls is not",
                        1,
                        "R",
                        Verdict.TRUNCATED,
                        "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[]}}]}\n\n"),
                stream(
                        "token ids without text are content",
                        1,
                        "C",
                        Verdict.TRUNCATED,
                        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"},\"token_ids\":[17, 4]}]}\n\n"),
                stream(
                        "no token ids are none",
                        1,
                        "o",
                        Verdict.TRUNCATED,
                        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"},\"token_ids\":[]}]}\n\n"),
                stream(
                        "a text completion",
                        1,
                        "CF.",
                        Verdict.COMPLETE,
                        "data: {\"object\":\"text_completion\",\"choices\":[{\"index\":0,\"text\":\"Hi\",\"logprobs\":null,\"finish_reason\":null}]}\n\n"
                                + "data: {\"object\":\"text_completion\",\"choices\":[{\"index\":0,\"text\":\"\",\"finish_reason\":\"length\"}]}\n\n"
                                + DONE),
                stream("two choices", 2, "FF.", Verdict.COMPLETE, STOP + finish(1, "length") + DONE),
                stream("two choices in one chunk", 2, "F.", Verdict.COMPLETE, both() + DONE),
                stream("one of two choices was never heard of", 2, "F.", Verdict.TRUNCATED, STOP + DONE),
                stream(
                        "one of two choices did not finish",
                        1,
                        "CF.",
                        Verdict.TRUNCATED,
                        content("x").replace("\"index\":0", "\"index\":1") + STOP + DONE),
                stream("one of two was aborted", 2, "FA.", Verdict.ABORTED, STOP + finish(1, "abort") + DONE),
                stream("one finished twice, the other never", 2, "FF.", Verdict.TRUNCATED, STOP + STOP + DONE),
                stream("an absurd index", 1, "FA.", Verdict.ABORTED, STOP + finish(99_999_999_999L, "stop") + DONE),
                stream(
                        "a response",
                        1,
                        "oCo",
                        Verdict.COMPLETE,
                        typed("response.created", "\"response\":{\"error\":null}")
                                + typed("response.output_text.delta", "\"delta\":\"Hi\"")
                                + typed("response.completed", "\"response\":{\"status\":\"completed\"}")),
                stream(
                        "a response that is cut",
                        1,
                        "oC",
                        Verdict.TRUNCATED,
                        typed("response.created", "") + typed("response.output_text.delta", "\"delta\":\"Hi\"")),
                stream("a response that failed", 1, "o", Verdict.FAILED, typed("response.failed", "\"response\":{}")),
                stream(
                        "a message",
                        1,
                        "oCFo",
                        Verdict.COMPLETE,
                        typed("message_start", "\"message\":{\"role\":\"assistant\"}")
                                + typed(
                                        "content_block_delta",
                                        "\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}")
                                + typed("message_delta", "\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{}")
                                + typed("message_stop", "")),
                stream(
                        "a message that stopped for no reason",
                        1,
                        "oo",
                        Verdict.TRUNCATED,
                        typed("message_delta", "\"delta\":{\"stop_reason\":null}") + typed("message_stop", "")),
                stream(
                        "a message's error",
                        1,
                        "E",
                        Verdict.FAILED,
                        typed("error", "\"error\":{\"type\":\"overloaded_error\"}")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("streams")
    void understands(String name, int choices, Seen expected, String stream) {
        assertThat(scan(choices, List.of(stream))).isEqualTo(expected);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("streams")
    void seesTheSameWhereverItIsCut(String name, int choices, Seen expected, String stream) {
        for (int cut = 0; cut <= stream.length(); cut++) {
            assertThat(scan(choices, List.of(stream.substring(0, cut), stream.substring(cut))))
                    .as("cut at %d", cut)
                    .isEqualTo(expected);
        }
        assertThat(scan(choices, stream.chars().mapToObj(Character::toString).toList()))
                .as("byte by byte")
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void noPrefixOfAStreamLooksComplete(long seed) {
        String stream = ROLE + HELLO + content("\\\"}],\\\"usage\\\":{}") + STOP + DONE;
        Random random = new Random(seed);
        for (int length = 0; length < stream.length(); length++) {
            List<String> pieces = new ArrayList<>();
            for (int from = 0; from < length; ) {
                int to = Math.min(length, from + 1 + random.nextInt(40));
                pieces.add(stream.substring(from, to));
                from = to;
            }
            assertThat(scan(1, pieces).verdict())
                    .as("seed %d length %d", seed, length)
                    .isEqualTo(Verdict.TRUNCATED);
        }
    }

    @Test
    @DisplayName("R-35 an event's end is found where it is, with bytes of the next behind it")
    void tellsWhereEventsEnd() {
        SseScanner scanner = new SseScanner(1);
        ByteBuf read = bytes("xx" + ROLE + HELLO.substring(0, 9)).skipBytes(2);

        int end = scanner.next(read, read.readerIndex());
        assertThat(end).isEqualTo(2 + ROLE.length());
        assertThat(scanner.isRoleOnly()).isTrue();
        assertThat(scanner.next(read, end)).isEqualTo(-1);

        ByteBuf more = bytes(HELLO.substring(9));
        assertThat(scanner.next(more, 0)).isEqualTo(HELLO.length() - 9);
        assertThat(scanner.hasContent()).isTrue();
        assertThat(scanner.next(more, HELLO.length() - 9)).isEqualTo(-1);
        assertThat(read.readerIndex()).isEqualTo(2);
    }

    private static Seen scan(int choices, List<String> reads) {
        SseScanner scanner = new SseScanner(choices);
        StringBuilder events = new StringBuilder();
        for (String text : reads) {
            ByteBuf read = bytes(text);
            int from = 0;
            for (int end = scanner.next(read, from); end >= 0; end = scanner.next(read, from)) {
                events.append(letter(scanner));
                from = end;
            }
        }
        return new Seen(events.toString(), scanner.verdict());
    }

    private static char letter(SseScanner scanner) {
        if (scanner.isComment()) {
            return '#';
        }
        if (scanner.isDone()) {
            return '.';
        }
        if (scanner.isError()) {
            return 'E';
        }
        if (scanner.isFinish()) {
            return scanner.isAbort() ? 'A' : 'F';
        }
        if (scanner.isRoleOnly()) {
            return 'R';
        }
        return scanner.hasContent() ? 'C' : 'o';
    }

    private static Arguments stream(String name, int choices, String events, Verdict verdict, String stream) {
        return Arguments.of(name, choices, new Seen(events, verdict), stream);
    }

    private static String typed(String type, String fields) {
        String comma = fields.isEmpty() ? "" : ",";
        return "event: " + type + "\ndata: {\"type\":\"" + type + "\"" + comma + fields + "}\n\n";
    }

    private static String content(String escaped) {
        return "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + escaped
                + "\"},\"finish_reason\":null}]}\n\n";
    }

    private static String finish(long index, String reason) {
        return STOP.replace("\"index\":0", "\"index\":" + index).replace("\"stop\"", "\"" + reason + "\"");
    }

    private static String both() {
        return "data: {\"choices\":[{\"index\":0,\"finish_reason\":\"stop\"},{\"finish_reason\":\"stop\",\"index\":1}]}\n\n";
    }

    private static ByteBuf bytes(String text) {
        return Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
    }
}
