package dev.tuna.testkit.vllm;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/** {@code text_completion}, the same name for chunks and whole answers. */
final class CompletionFormat extends AnswerFormat {

    CompletionFormat(GenerationRequest request, String id, long created) {
        super(request, id, created);
    }

    @Override
    String chunkObject() {
        return "text_completion";
    }

    @Override
    String wholeObject() {
        return "text_completion";
    }

    @Override
    boolean opensWithRole() {
        return false;
    }

    @Override
    void writeFirst(JsonGenerator json, int choice) {}

    @Override
    void writePromptIds(JsonGenerator json, int choice) throws IOException {
        writeIds(json, "prompt_token_ids", request().promptOf(choice));
    }

    @Override
    void writeChunkText(JsonGenerator json, String text, boolean role, boolean reasoning) throws IOException {
        json.writeStringField("text", text);
    }

    @Override
    void writeWholeText(JsonGenerator json, ChoiceText choice) throws IOException {
        json.writeStringField("text", choice.text());
    }

    @Override
    void writeLogprobs(JsonGenerator json, int[] ids, int offset) throws IOException {
        json.writeObjectFieldStart("logprobs");
        json.writeArrayFieldStart("tokens");
        for (int id : ids) {
            json.writeString(StandInTokenizer.decode(id));
        }
        json.writeEndArray();
        json.writeFieldName("token_logprobs");
        json.writeArray(new int[ids.length], 0, ids.length);
        json.writeArrayFieldStart("top_logprobs");
        for (int id : ids) {
            json.writeStartObject();
            json.writeNumberField(StandInTokenizer.decode(id), 0);
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeArrayFieldStart("text_offset");
        int at = offset;
        for (int id : ids) {
            json.writeNumber(at);
            String token = StandInTokenizer.decode(id);
            at += token.codePointCount(0, token.length());
        }
        json.writeEndArray();
        json.writeEndObject();
    }
}
