package dev.tuna.testkit.vllm;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.testkit.vllm.Wire.Events;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ContinuationTest {

    private static final String QUESTION = "Where does the river go?";

    private static VllmStandIn server;

    @BeforeAll
    static void start() {
        server = VllmStandIn.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void continuesAChatFromEveryTokenWhenGivenTheIds() throws Exception {
        Events whole =
                Wire.stream(server, Wire.CHAT, Wire.chat(QUESTION, ",\"stream\":true,\"return_token_ids\":true"));
        List<Integer> prompt = ids(whole.chunks().get(0).path("prompt_token_ids"));
        assertThat(whole.finishReason()).isEqualTo("stop");
        assertThat(whole.text()).isNotBlank();
        for (int cut = 0; cut < whole.ids().size(); cut++) {
            List<Integer> prefix = new ArrayList<>(prompt);
            prefix.addAll(whole.ids().subList(0, cut));
            Events rest = Wire.stream(
                    server,
                    Wire.CHAT,
                    Wire.chat(
                            QUESTION,
                            ",\"stream\":true,\"return_token_ids\":true,\"kv_transfer_params\":{\"prompt_token_ids\":"
                                    + prefix + "}"));
            assertThat(ids(rest.chunks().get(0).path("prompt_token_ids"))).isEqualTo(prefix);
            assertThat(textOfFirst(whole, cut) + rest.text())
                    .as("cut at %d", cut)
                    .isEqualTo(whole.text());
            assertThat(rest.ids())
                    .isEqualTo(whole.ids().subList(cut, whole.ids().size()));
        }
    }

    @Test
    void continuesACompletionFromEveryTokenWhenGivenTheIds() throws Exception {
        String more = ",\"stream\":true,\"return_token_ids\":true,\"ignore_eos\":true,\"max_tokens\":";
        Events whole = Wire.stream(server, Wire.COMPLETIONS, "{\"prompt\":\"Once upon a time\"" + more + "60}");
        List<Integer> prompt = ids(whole.chunks().get(0).path("choices").path(0).path("prompt_token_ids"));
        assertThat(whole.finishReason()).isEqualTo("length");
        for (int cut = 0; cut < 60; cut++) {
            List<Integer> prefix = new ArrayList<>(prompt);
            prefix.addAll(whole.ids().subList(0, cut));
            Events rest = Wire.stream(server, Wire.COMPLETIONS, "{\"prompt\":" + prefix + more + (60 - cut) + "}");
            assertThat(textOfFirst(whole, cut) + rest.text())
                    .as("cut at %d", cut)
                    .isEqualTo(whole.text());
        }
    }

    @Test
    void continuesAChatFromItsTextWhenAskedToContinueTheFinalMessage() throws Exception {
        Events whole =
                Wire.stream(server, Wire.CHAT, Wire.chat(QUESTION, ",\"stream\":true,\"return_token_ids\":true"));
        for (int cut = 0; cut < whole.ids().size(); cut += 7) {
            String said = textOfFirst(whole, cut);
            String body = Wire.JSON.writeValueAsString(Wire.JSON
                    .createObjectNode()
                    .put("stream", true)
                    .put("continue_final_message", true)
                    .put("add_generation_prompt", false)
                    .set("messages", messages(said)));
            assertThat(said + Wire.stream(server, Wire.CHAT, body).text()).isEqualTo(whole.text());
        }
    }

    @Test
    void answersDifferentlyWhenThePrefixIsWrongByOneToken() {
        int[] prompt = StandInTokenizer.encode("Once upon a time");
        int[] wrong = prompt.clone();
        wrong[0]++;
        assertThat(StandInModel.answer(20, wrong)).isNotEqualTo(StandInModel.answer(20, prompt));
    }

    @Test
    void startsAgainFromZeroWithoutAWordWhenTheServerIsTooOldForTheIds() throws Exception {
        try (VllmStandIn old =
                VllmStandIn.builder().honoursPromptTokenIds(false).start()) {
            String ids = ",\"kv_transfer_params\":{\"prompt_token_ids\":[300,301,302]}";
            String plain = Wire.post(old, Wire.CHAT, Wire.chat(QUESTION, "")).body();
            String ignored = Wire.post(old, Wire.CHAT, Wire.chat(QUESTION, ids)).body();
            assertThat(content(ignored)).isEqualTo(content(plain));
        }
    }

    private static JsonNode messages(String said) {
        return Wire.JSON
                .createArrayNode()
                .add(Wire.JSON.createObjectNode().put("role", "user").put("content", QUESTION))
                .add(Wire.JSON.createObjectNode().put("role", "assistant").put("content", said));
    }

    private static String content(String answer) {
        return Wire.json(answer).at("/choices/0/message/content").asText();
    }

    /** What had been shown when a number of tokens had been sent. */
    private static String textOfFirst(Events events, int tokens) {
        StringBuilder text = new StringBuilder();
        int seen = 0;
        for (JsonNode chunk : events.chunks()) {
            JsonNode choice = chunk.path("choices").path(0);
            seen += choice.path("token_ids").size();
            if (seen > tokens) {
                break;
            }
            text.append(choice.path("delta").path("content").asText(""));
            text.append(choice.path("text").asText(""));
        }
        return text.toString();
    }

    private static List<Integer> ids(JsonNode list) {
        List<Integer> ids = new ArrayList<>();
        list.forEach(id -> ids.add(id.intValue()));
        return ids;
    }
}
