package dev.tuna.router.proxy;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Makes what hostile, broken and merely strange peers send. The same seed makes the same. */
final class Hostile {

    private static final String[] REQUEST_FIELDS = {
        "model",
        "stream",
        "messages",
        "prompt",
        "n",
        "best_of",
        "max_tokens",
        "max_completion_tokens",
        "min_tokens",
        "seed",
        "stop",
        "stream_options",
        "return_token_ids",
        "kv_transfer_params",
        "ec_transfer_params",
        "tools",
        "tool_choice",
        "response_format",
        "logprobs",
        "presence_penalty",
        "guided_json",
        "content",
        "role",
        "type",
        "include_usage",
        "user",
        "use_beam_search",
        "include_stop_str_in_output",
        "",
        "\\u006dodel",
        "model\\u0000"
    };

    private static final String[] EVENT_FIELDS = {
        "id",
        "object",
        "created",
        "model",
        "choices",
        "index",
        "delta",
        "content",
        "text",
        "role",
        "finish_reason",
        "stop_reason",
        "token_ids",
        "prompt_token_ids",
        "usage",
        "error",
        "type",
        "logprobs",
        "text_offset",
        "tool_calls",
        "reasoning",
        "function_call",
        "prompt_tokens",
        "completion_tokens",
        "prompt_logprobs",
        "",
        "\\u0069d"
    };

    private static final String[] SCALARS = {
        "null",
        "true",
        "false",
        "0",
        "1",
        "-1",
        "-0",
        "1.0",
        "2",
        "1e3",
        "1E400",
        "-1e999999",
        "0.1e-400",
        "4096",
        "2147483647",
        "2147483648",
        "9223372036854775808",
        "123456789012345678901234567890123456789012345678901234567890",
        "NaN",
        "Infinity",
        "007",
        "+1",
        ".5",
        "1.",
        "0x10",
        "nul",
        "TRUE",
        "\"auto\"",
        "\"none\"",
        "\"text\"",
        "\"true\"",
        "\"stand-in/tiny\"",
        "\"user\"",
        "\"assistant\"",
        "\"stop\"",
        "\"length\"",
        "\"abort\"",
        "\"error\"",
        "\"tool_calls\"",
        "\"\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\u0000\"",
        "\"\\x\"",
        "\"\\",
        "\"unended",
        "\"\\\"}]}\\n\\ndata: [DONE]\\n\\n\"",
        "\"\u00e9\u4e2d\ud83d\ude3c\"",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        ""
    };

    private static final byte[][] PIECES = {
        bytes("\n"),
        bytes("\r\n"),
        bytes("\r"),
        bytes("\n\n"),
        bytes("\r\n\r\n"),
        bytes("data:"),
        bytes("data: [DONE]\n\n"),
        bytes("[DONE]"),
        bytes(":"),
        bytes(": comment\n\n"),
        bytes("event: error\n"),
        bytes("\u0000"),
        bytes("\ufeff"),
        bytes("{"),
        bytes("}"),
        bytes("["),
        bytes("]"),
        bytes("\""),
        bytes("\\"),
        bytes(","),
        bytes("\\u"),
        bytes("0\r\n\r\n"),
        {(byte) 0xC3},
        {(byte) 0xFF},
        {(byte) 0xED, (byte) 0xA0, (byte) 0x80},
        {(byte) 0xF0, (byte) 0x9F},
        {(byte) 0xC0, (byte) 0x80},
        bytes("\"error\":{}"),
        bytes("\"token_ids\":[1,2,"),
        bytes("\"prompt_token_ids\":null,"),
        bytes("\"finish_reason\":\"abort\"")
    };

    final Random random;

    Hostile(long seed) {
        random = new Random(seed);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    int upTo(int most) {
        return random.nextInt(most + 1);
    }

    boolean oneIn(int many) {
        return random.nextInt(many) == 0;
    }

    <T> T any(T[] all) {
        return all[random.nextInt(all.length)];
    }

    // --- JSON ---

    /** A request's fields, as often right as wrong. */
    String requestBody() {
        if (oneIn(200)) {
            return "[".repeat(random.nextInt(3000));
        }
        if (oneIn(200)) {
            return "{\"a\":".repeat(random.nextInt(3000)) + "1" + "}".repeat(random.nextInt(3000));
        }
        StringBuilder json = new StringBuilder(oneIn(20) ? " \n{" : "{");
        if (!oneIn(10)) {
            json.append("\"model\":\"stand-in/tiny\"");
        }
        if (!oneIn(4)) {
            comma(json).append("\"stream\":true");
        }
        if (!oneIn(4)) {
            comma(json).append("\"messages\":").append(oneIn(3) ? value(REQUEST_FIELDS, 3) : message());
        }
        for (int i = upTo(5); i > 0; i--) {
            comma(json).append('"').append(any(REQUEST_FIELDS)).append("\":").append(value(REQUEST_FIELDS, 3));
        }
        return json.append(oneIn(30) ? "" : "}").append(oneIn(50) ? "}" : "").toString();
    }

    private String message() {
        return "[{\"role\":\"user\",\"content\":\"question " + random.nextInt(50) + "\"}]";
    }

    private static StringBuilder comma(StringBuilder json) {
        return json.charAt(json.length() - 1) == '{' ? json : json.append(',');
    }

    private String value(String[] names, int depth) {
        switch (depth == 0 ? 9 : random.nextInt(10)) {
            case 0, 1 -> {
                StringBuilder json = new StringBuilder("{");
                for (int i = upTo(3); i > 0; i--) {
                    comma(json).append('"').append(any(names)).append("\":").append(value(names, depth - 1));
                }
                return json.append('}').toString();
            }
            case 2, 3 -> {
                StringBuilder json = new StringBuilder("[");
                for (int i = upTo(3); i > 0; i--) {
                    json.append(json.length() > 1 ? "," : "").append(value(names, depth - 1));
                }
                return json.append(']').toString();
            }
            case 4 -> {
                return Integer.toString(random.nextInt(100));
            }
            case 5 -> {
                return "\"text " + random.nextInt(10) + "\"";
            }
            default -> {
                return SCALARS[random.nextInt(oneIn(4) ? SCALARS.length : SCALARS.length - 22)];
            }
        }
    }

    /** A chunk's JSON that has nothing to do with what chunks should look like. */
    String strangeChunk() {
        String json = value(EVENT_FIELDS, 5);
        return json.startsWith("{") ? json : "{\"choices\":[{\"index\":0,\"delta\":" + json + "}]}";
    }

    // --- bytes ---

    /** Cut, flipped, doubled, or with something put in; now and then left alone. */
    byte[] spoilt(byte[] good) {
        byte[] bytes = good;
        for (int i = random.nextInt(4); i > 0 && bytes.length > 0; i--) {
            int from = random.nextInt(bytes.length);
            int to = Math.min(bytes.length, from + 1 + random.nextInt(oneIn(4) ? 200 : 8));
            switch (random.nextInt(6)) {
                case 0 -> bytes = Arrays.copyOf(bytes, from);
                case 1 -> {
                    bytes = bytes.clone();
                    bytes[from] = (byte) random.nextInt(256);
                }
                case 2 -> bytes = joined(bytes, from, Arrays.copyOfRange(bytes, from, to), from); // doubled
                case 3 -> bytes = joined(bytes, from, new byte[0], to); // left out
                default -> bytes = joined(bytes, from, any(PIECES), from);
            }
        }
        return bytes;
    }

    private static byte[] joined(byte[] bytes, int before, byte[] between, int behind) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.write(bytes, 0, before);
        all.writeBytes(between);
        all.write(bytes, behind, bytes.length - behind);
        return all.toByteArray();
    }

    /** As a network would deliver it. */
    List<byte[]> pieces(byte[] all) {
        List<byte[]> pieces = new ArrayList<>();
        int most = oneIn(3) ? 3 : oneIn(2) ? 60 : 2000;
        for (int from = 0; from < all.length; ) {
            int to = Math.min(all.length, from + 1 + random.nextInt(most));
            pieces.add(Arrays.copyOfRange(all, from, to));
            from = to;
        }
        return pieces;
    }

    // --- HTTP ---

    private static final String[] FIELDS = {
        "Content-Length: 3",
        "Content-Length: 3, 3",
        "Content-Length: -1",
        "Content-Length: 99999999999999999999",
        "Content-Length: 0x3",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding : chunked",
        " Transfer-Encoding: chunked",
        "Host: b",
        "Host: a b",
        "Host: ",
        "Host",
        ": x",
        "Expect: 100-continue",
        "Expect: magic",
        "Connection: close, x-secret",
        "Connection: upgrade",
        "Upgrade: h2c",
        "X-Request-Id: \u00e9",
        "X-Request-Id: mine",
        "x-tuna-tier: spot",
        "x-tuna-tier: \u0000",
        "x-tuna-failover: maybe",
        "x-stainless-timeout: NaN",
        "x-stainless-read-timeout: 1e999",
        "x-stainless-timeout: 600",
        "Authorization: Bearer ",
        "Authorization: Bearer a b",
        "Authorization: Basic x",
        "Content-Type: multipart/form-data; boundary=b",
        "Content-Type: multipart/form-data",
        "Content-Type: application/json; charset=utf-16",
        "Cookie: a=b\tc",
        "A:\tb",
        "a: b\r\n\tfolded"
    };

    private static final String[] LINES = {
        "POST /v1/chat/completions HTTP/1.1",
        "POST /v1/completions HTTP/1.1",
        "GET /v1/models HTTP/1.1",
        "POST /v1/v1/chat/completions?x=%00 HTTP/1.1",
        "POST http://evil/v1/chat/completions HTTP/1.1",
        "POST * HTTP/1.1",
        "GET /router/health HTTP/1.1",
        "POST /router/config HTTP/1.1",
        "GET /../../etc/passwd HTTP/1.1",
        "GET /v1/%2e%2e/x HTTP/1.1",
        "POST /v1/chat/completions HTTP/1.0",
        "POST /v1/chat/completions HTTP/2.0",
        "POST /v1/chat/completions",
        "HEAD /v1/models HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "PRI * HTTP/2.0",
        "CONNECT evil:443 HTTP/1.1",
        "DELETE /v1/responses/a HTTP/1.1",
        "\u0000",
        "",
        "x",
        "POST /v1/responses/../chat/completions HTTP/1.1",
        "POST /v1/audio/transcriptions HTTP/1.1",
        "TRACE / HTTP/1.1"
    };

    /** A request of which some part is wrong, or more than one. */
    byte[] request(String body) {
        StringBuilder head = new StringBuilder(oneIn(3) ? any(LINES) : LINES[random.nextInt(2)]);
        String end = oneIn(10) ? "\n" : "\r\n";
        head.append(end);
        if (!oneIn(10)) {
            head.append("Host: tuna").append(end);
        }
        for (int i = random.nextInt(4); i > 0; i--) {
            head.append(any(FIELDS)).append(end);
        }
        if (oneIn(500)) {
            head.append("X-Long: ").append("x".repeat(random.nextInt(100_000))).append(end);
        }
        byte[] bytes = bytes(body);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        if (oneIn(3)) {
            all.writeBytes(bytes(head + "Transfer-Encoding: chunked" + end + end));
            pieces(bytes).forEach(piece -> all.writeBytes(chunk(piece)));
            all.writeBytes(bytes(oneIn(10) ? "0\r\nTrailer: x\r\n\r\n" : "0\r\n\r\n"));
        } else {
            all.writeBytes(bytes(head + "Content-Length: " + (bytes.length + (oneIn(20) ? 1 : 0)) + end + end));
            all.writeBytes(bytes);
        }
        return oneIn(2) ? spoilt(all.toByteArray()) : all.toByteArray();
    }

    byte[] chunk(byte[] data) {
        String size =
                oneIn(300) ? "-1" : oneIn(300) ? "ffffffffff" : oneIn(300) ? "1 ;x" : Integer.toHexString(data.length);
        return joined(bytes(size + "\r\n\r\n"), size.length() + 2, data, size.length() + 2);
    }

    // --- streams ---

    /** The tokens of an answer as a server would send them: whole events. */
    List<String> events(boolean chat, int[] prompt, int[] tokens, boolean end) {
        List<String> events = new ArrayList<>();
        String first = ",\"prompt_token_ids\":" + Arrays.toString(prompt).replace(" ", "");
        if (chat) {
            events.add(event(
                    "\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null", first));
        }
        for (int i = 0; i < tokens.length; i++) {
            String text = "t" + tokens[i] + (tokens[i] % 7 == 0 ? " \u00e9\ud83d\ude3c" : "");
            boolean silent = tokens[i] % 11 == 0;
            String shown = silent ? "" : text;
            events.add(event(
                    "\"index\":0," + (chat ? "\"delta\":{\"content\":\"" + shown + "\"}" : "\"text\":\"" + shown + "\"")
                            + ",\"logprobs\":null,\"finish_reason\":null,\"token_ids\":[" + tokens[i] + "]"
                            + (!chat && i == 0 ? first : ""),
                    oneIn(10)
                            ? ",\"usage\":{\"prompt_tokens\":" + prompt.length + ",\"completion_tokens\":" + (i + 1)
                                    + "}"
                            : ""));
            if (oneIn(20)) {
                events.add(": keep-alive\n\n");
            }
        }
        if (end) {
            events.add(event(
                    "\"index\":0," + (chat ? "\"delta\":{}" : "\"text\":\"\"") + ",\"finish_reason\":\"stop\"", ""));
            events.add("data: [DONE]\n\n");
        }
        return events;
    }

    private static String event(String choice, String more) {
        return "data: {\"id\":\"c\",\"object\":\"o\",\"created\":1,\"model\":\"m\",\"choices\":[{" + choice + "}]"
                + more + "}\n\n";
    }

    /** Events among which some are wrong, missing, strange or out of order, with any kind of line end. */
    byte[] stream(List<String> good) {
        List<String> events = new ArrayList<>(good);
        for (int i = random.nextInt(3); i > 0 && !events.isEmpty(); i--) {
            int at = random.nextInt(events.size());
            switch (random.nextInt(9)) {
                case 0 -> events.remove(at);
                case 1 -> events.add(at, events.get(random.nextInt(events.size())));
                case 2 -> events.add(at, "data: " + strangeChunk() + "\n\n");
                case 3 -> events.add(at, "data: [DONE]\n\n");
                case 4 -> events.add(at, "event: " + any(SCALARS) + "\ndata: " + value(EVENT_FIELDS, 2) + "\n\n");
                case 5 -> events.add(at, "data: {\"error\":{\"message\":\"x\",\"code\":500}}\n\n");
                case 6 ->
                    events.set(at, events.get(at).replace("\"finish_reason\":null", "\"finish_reason\":\"abort\""));
                case 7 -> events.set(at, events.get(at).replace("\n", "\r\n"));
                default -> events.add(at, ": " + "x".repeat(random.nextInt(oneIn(300) ? 400_000 : 50)) + "\n\n");
            }
        }
        String all = String.join("", events);
        byte[] bytes = bytes(oneIn(20) ? all.replace("\n", "\r\n") : all);
        return oneIn(3) ? spoilt(bytes) : bytes;
    }
}
