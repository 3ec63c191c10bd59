package dev.tuna.testkit.vllm;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.testkit.vllm.Wire.Events;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class GenerationTest {

    private static final String PROMPT = "{\"prompt\":\"the sea at night\",\"max_tokens\":40,\"ignore_eos\":true";

    private static VllmStandIn server;

    @BeforeAll
    static void start() {
        server = VllmStandIn.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static JsonNode whole(String path, String body) throws Exception {
        HttpResponse<String> response = Wire.post(server, path, body);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return Wire.json(response.body());
    }

    private static String text(String more) throws Exception {
        return whole(Wire.COMPLETIONS, PROMPT + more + "}")
                .at("/choices/0/text")
                .asText();
    }

    @Test
    void streamsWhatItWouldHaveSaidAtOnce() throws Exception {
        JsonNode whole = whole(Wire.CHAT, Wire.chat("hello", ""));
        Events events = Wire.stream(server, Wire.CHAT, Wire.chat("hello", ",\"stream\":true"));
        assertThat(events.done()).isTrue();
        assertThat(events.text())
                .isEqualTo(whole.at("/choices/0/message/content").asText())
                .isNotEmpty();
        assertThat(events.finishReason()).isEqualTo("stop");
    }

    /** The body, byte for byte, with what differs from run to run replaced. */
    @Test
    void writesEventsByteForByteLikeVllm() throws Exception {
        String body =
                Wire.chat("hello", ",\"stream\":true,\"max_tokens\":2,\"stream_options\":{\"include_usage\":true}");
        HttpResponse<String> response = Wire.post(server, Wire.CHAT, body);
        int[] prompt = ids(whole("/tokenize", Wire.chat("hello", "")).path("tokens"));
        int[] answer = StandInModel.answer(2, prompt);
        String head = "data: {\"id\":\"ID\",\"object\":\"chat.completion.chunk\",\"created\":0,"
                + "\"model\":\"stand-in/tiny\",\"choices\":[";
        String choice = head + "{\"index\":0,\"delta\":{";
        assertThat(response.body()
                        .replaceAll("\"id\":\"chatcmpl-[0-9a-f]+\"", "\"id\":\"ID\"")
                        .replaceAll("\"created\":\\d+", "\"created\":0"))
                .isEqualTo(choice
                        + "\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n"
                        + choice + "\"content\":\"" + StandInTokenizer.decode(answer[0])
                        + "\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n"
                        + choice + "\"content\":\"" + StandInTokenizer.decode(answer[1])
                        + "\"},\"logprobs\":null,\"finish_reason\":\"length\",\"stop_reason\":null}],"
                        + "\"system_fingerprint\":\"vllm-stand-in\"}\n\n"
                        + head + "],\"usage\":{\"prompt_tokens\":" + prompt.length + ",\"total_tokens\":"
                        + (prompt.length + 2) + ",\"completion_tokens\":2}}\n\ndata: [DONE]\n\n");
        assertThat(response.headers().firstValue("content-type")).hasValue("text/event-stream; charset=utf-8");
    }

    private static int[] ids(JsonNode list) {
        int[] ids = new int[list.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = list.get(i).intValue();
        }
        return ids;
    }

    @Test
    void sendsChunksWithIdsAndNoTextInTheMiddleOfACharacter() throws Exception {
        Events events = Wire.stream(
                server,
                Wire.COMPLETIONS,
                "{\"prompt\":\"the sea\",\"max_tokens\":400,\"ignore_eos\":true,\"stream\":true,\"return_token_ids\":true}");
        long silent = events.chunks().stream()
                .map(chunk -> chunk.path("choices").path(0))
                .filter(choice -> choice.path("token_ids").size() == 1
                        && choice.path("text").asText().isEmpty())
                .count();
        assertThat(silent).isPositive();
        assertThat(events.ids()).hasSize(400);
    }

    @Test
    void putsUsageOnEveryChunkWhenAsked() throws Exception {
        Events events = Wire.stream(
                server,
                Wire.CHAT,
                Wire.chat(
                        "hello",
                        ",\"stream\":true,\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true}"));
        assertThat(events.chunks()).allMatch(chunk -> chunk.hasNonNull("usage"));
        JsonNode last = events.chunks().get(events.chunks().size() - 1);
        assertThat(last.path("choices")).isEmpty();
        assertThat(last.at("/usage/completion_tokens").asInt())
                .isEqualTo(events.chunks().size() - 2);
    }

    @Test
    void defaultsToSixteenTokensForACompletionAndToItsOwnEndForAChat() throws Exception {
        JsonNode completion = whole(Wire.COMPLETIONS, "{\"prompt\":\"the sea at night\",\"ignore_eos\":true}");
        assertThat(completion.at("/usage/completion_tokens").asInt()).isEqualTo(16);
        JsonNode chat = whole(Wire.CHAT, Wire.chat("hello", ""));
        assertThat(chat.at("/choices/0/finish_reason").asText()).isEqualTo("stop");
        assertThat(chat.at("/usage/completion_tokens").asInt())
                .isBetween(StandInModel.SHORTEST_ANSWER, StandInModel.LONGEST_ANSWER + 4);
    }

    @Test
    void stopsAtAStringWithoutEverShowingPartOfIt() throws Exception {
        String all = text("");
        String stop = all.substring(40, 55);
        String escaped = Wire.JSON.writeValueAsString(stop);
        String before = all.substring(0, all.indexOf(stop));
        JsonNode whole = whole(Wire.COMPLETIONS, PROMPT + ",\"stop\":" + escaped + "}");
        assertThat(whole.at("/choices/0/text").asText()).isEqualTo(before);
        assertThat(whole.at("/choices/0/stop_reason").asText()).isEqualTo(stop);
        assertThat(whole.at("/choices/0/finish_reason").asText()).isEqualTo("stop");
        Events events = Wire.stream(
                server, Wire.COMPLETIONS, PROMPT + ",\"stream\":true,\"stop\":[\"nowhere\"," + escaped + "]}");
        assertThat(events.text()).isEqualTo(before);
        assertThat(text(",\"include_stop_str_in_output\":true,\"stop\":" + escaped))
                .isEqualTo(before + stop);
    }

    @Test
    void showsWhatItHeldBackWhenNoStopStringCame() throws Exception {
        Events events =
                Wire.stream(server, Wire.COMPLETIONS, PROMPT + ",\"stream\":true,\"stop\":\"" + "z".repeat(30) + "\"}");
        assertThat(events.text()).isEqualTo(text(""));
    }

    @Test
    void stopsAtATokenIdButNotBeforeTheLeastNumberOfTokens() throws Exception {
        JsonNode ids =
                whole(Wire.COMPLETIONS, PROMPT + ",\"return_token_ids\":true}").at("/choices/0/token_ids");
        int third = ids.get(2).intValue();
        JsonNode stopped =
                whole(Wire.COMPLETIONS, PROMPT + ",\"return_token_ids\":true,\"stop_token_ids\":[" + third + "]}");
        assertThat(stopped.at("/choices/0/stop_reason").asInt()).isEqualTo(third);
        assertThat(stopped.at("/choices/0/token_ids").size()).isLessThanOrEqualTo(3);
        JsonNode later = whole(
                Wire.COMPLETIONS,
                PROMPT + ",\"return_token_ids\":true,\"min_tokens\":3,\"stop_token_ids\":[" + third + "]}");
        assertThat(later.at("/choices/0/token_ids").size()).isGreaterThan(3);
    }

    @Test
    void givesSeveralDifferentChoices() throws Exception {
        JsonNode whole = whole(Wire.COMPLETIONS, PROMPT + ",\"n\":3}");
        assertThat(whole.path("choices")).hasSize(3);
        assertThat(whole.at("/choices/0/text").asText())
                .isEqualTo(text(""))
                .isNotEqualTo(whole.at("/choices/1/text").asText());
        assertThat(whole.at("/usage/completion_tokens").asInt()).isEqualTo(120);
        Events events = Wire.stream(server, Wire.CHAT, Wire.chat("hello", ",\"n\":2,\"stream\":true"));
        long roles = events.chunks().stream()
                .filter(chunk -> chunk.at("/choices/0/delta").has("role"))
                .count();
        assertThat(roles).isEqualTo(2);
    }

    @Test
    void letsASeedMatterOnlyWhenItSamples() throws Exception {
        assertThat(text(",\"seed\":1")).isEqualTo(text("")).isEqualTo(text(",\"temperature\":0,\"seed\":2"));
        assertThat(text(",\"temperature\":0.8,\"seed\":1"))
                .isEqualTo(text(",\"temperature\":0.8,\"seed\":1"))
                .isNotEqualTo(text(",\"temperature\":0.8,\"seed\":2"));
    }

    @Test
    void answersSeveralPromptsAndEchoesThem() throws Exception {
        JsonNode whole =
                whole(Wire.COMPLETIONS, "{\"prompt\":[\"the sea\",\"the wind\"],\"max_tokens\":5,\"echo\":true}");
        assertThat(whole.at("/choices/0/text").asText()).startsWith("the sea");
        assertThat(whole.at("/choices/1/text").asText()).startsWith("the wind");
    }

    @Test
    void givesLogprobsInBothShapes() throws Exception {
        JsonNode completion = whole(Wire.COMPLETIONS, PROMPT + ",\"logprobs\":1}");
        assertThat(completion.at("/choices/0/logprobs/tokens")).hasSize(40);
        assertThat(completion.at("/choices/0/logprobs/token_logprobs")).hasSize(40);
        JsonNode chat = whole(Wire.CHAT, Wire.chat("hello", ",\"logprobs\":true,\"top_logprobs\":2,\"max_tokens\":4"));
        assertThat(chat.at("/choices/0/logprobs/content")).hasSize(4);
        assertThat(chat.at("/choices/0/logprobs/content/0/top_logprobs")).hasSize(2);
    }

    @Test
    void countsTextOffsetsOverAllChunksInCodePoints() throws Exception {
        String stops = PROMPT + ",\"logprobs\":1,\"stream\":true,\"stop\":\"not to be found\",\"echo\":true}";
        Events events = Wire.stream(server, Wire.COMPLETIONS, stops.replace("the sea", "the \ud83d\udc1f sea"));
        int shown = 0;
        for (JsonNode chunk : events.chunks()) {
            JsonNode choice = chunk.at("/choices/0");
            JsonNode offsets = choice.at("/logprobs/text_offset");
            int at = shown;
            for (int i = 0; i < offsets.size(); i++) {
                assertThat(offsets.get(i).intValue()).isEqualTo(at);
                at += codePoints(choice.at("/logprobs/tokens").get(i).asText());
            }
            shown += codePoints(choice.path("text").asText());
        }
        assertThat(shown).isGreaterThan(60);
    }

    private static int codePoints(String text) {
        return text.codePointCount(0, text.length());
    }

    @Test
    void ignoresTheGivenIdsWhenThereIsMediaInTheMessages() throws Exception {
        String body = "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"what is it\"},"
                + "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:,\"}}]}],\"return_token_ids\":true,"
                + "\"kv_transfer_params\":{\"prompt_token_ids\":[300,301]}}";
        assertThat(whole(Wire.CHAT, body).path("prompt_token_ids").size()).isGreaterThan(2);
    }
}
