package dev.tuna.testkit.vllm;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** The JSON of an answer, chunk by chunk or whole; the two endpoints differ in what a choice looks like. */
abstract class AnswerFormat {

    private static final String FINGERPRINT = "vllm-stand-in";

    private final GenerationRequest request;
    private final String id;
    private final long created;

    AnswerFormat(GenerationRequest request, String id, long created) {
        this.request = request;
        this.id = id;
        this.created = created;
    }

    static AnswerFormat of(GenerationRequest request, String requestId, long created) {
        return request.chat()
                ? new ChatFormat(request, "chatcmpl-" + requestId, created)
                : new CompletionFormat(request, "cmpl-" + requestId, created);
    }

    GenerationRequest request() {
        return request;
    }

    abstract String chunkObject();

    abstract String wholeObject();

    /** Whether a choice opens with a chunk that has a role and no token. */
    abstract boolean opensWithRole();

    /** Fields of a chunk beside its choices that appear on the first chunk only. */
    abstract void writeFirst(JsonGenerator json, int choice) throws IOException;

    abstract void writeChunkText(JsonGenerator json, String text, boolean role, boolean reasoning) throws IOException;

    abstract void writeWholeText(JsonGenerator json, ChoiceText choice) throws IOException;

    /** @param offset how long the text was that came before, in characters (code points) */
    abstract void writeLogprobs(JsonGenerator json, int[] ids, int offset) throws IOException;

    /** Fields within a choice that tell the prompt's ids. */
    abstract void writePromptIds(JsonGenerator json, int choice) throws IOException;

    byte[] roleChunk(int choice, int generated) {
        return chunk(choice, Optional.empty(), "", true, generated, 0);
    }

    /** @param offset how long the text of the choice's earlier chunks was, in characters (code points) */
    byte[] chunk(int choice, Delta delta, boolean first, int generated, int offset) {
        return chunk(choice, Optional.of(delta), delta.text(), first, generated, offset);
    }

    private byte[] chunk(int choice, Optional<Delta> delta, String text, boolean first, int generated, int offset) {
        return Json.bytes(json -> {
            open(json, chunkObject());
            json.writeArrayFieldStart("choices");
            json.writeStartObject();
            json.writeNumberField("index", choice);
            writeChunkText(
                    json,
                    text,
                    delta.isEmpty(),
                    delta.isPresent() && delta.get().reasoning());
            writeTail(json, delta.map(Delta::ids).orElse(new int[0]), delta, delta.isPresent(), offset);
            if (first && request.tokenIds()) {
                writePromptIds(json, choice);
            }
            json.writeEndObject();
            json.writeEndArray();
            if (first && request.tokenIds()) {
                writeFirst(json, choice);
            }
            if (delta.isPresent() && delta.get().finishReason().isPresent()) {
                json.writeStringField("system_fingerprint", FINGERPRINT);
            }
            if (request.usageOnEveryChunk()) {
                writeUsage(json, generated);
            }
            json.writeEndObject();
        });
    }

    byte[] usageChunk(int generated) {
        return Json.bytes(json -> {
            open(json, chunkObject());
            json.writeArrayFieldStart("choices");
            json.writeEndArray();
            writeUsage(json, generated);
            json.writeEndObject();
        });
    }

    byte[] whole(List<ChoiceText> choices) {
        return Json.bytes(json -> {
            open(json, wholeObject());
            json.writeArrayFieldStart("choices");
            for (int i = 0; i < choices.size(); i++) {
                ChoiceText choice = choices.get(i);
                json.writeStartObject();
                json.writeNumberField("index", i);
                writeWholeText(json, choice);
                writeTail(json, choice.ids(), Optional.of(choice.last()), true, 0);
                if (request.tokenIds()) {
                    writePromptIds(json, i);
                }
                json.writeEndObject();
            }
            json.writeEndArray();
            if (request.tokenIds()) {
                writeFirst(json, 0);
            }
            json.writeStringField("system_fingerprint", FINGERPRINT);
            writeUsage(
                    json,
                    choices.stream().mapToInt(choice -> choice.ids().length).sum());
            json.writeEndObject();
        });
    }

    private void open(JsonGenerator json, String object) throws IOException {
        json.writeStartObject();
        json.writeStringField("id", id);
        json.writeStringField("object", object);
        json.writeNumberField("created", created);
        json.writeStringField("model", request.model());
    }

    private void writeTail(JsonGenerator json, int[] ids, Optional<Delta> delta, boolean withIds, int offset)
            throws IOException {
        if (request.logprobs() >= 0 && ids.length > 0) {
            writeLogprobs(json, ids, offset);
        } else {
            json.writeNullField("logprobs");
        }
        Optional<String> reason = delta.flatMap(Delta::finishReason);
        json.writeStringField("finish_reason", reason.orElse(null));
        if (reason.isPresent()) {
            json.writeObjectField(
                    "stop_reason", delta.flatMap(Delta::stopReason).orElse(null));
        }
        if (request.tokenIds() && withIds) {
            writeIds(json, "token_ids", ids);
        }
    }

    static void writeIds(JsonGenerator json, String name, int[] ids) throws IOException {
        json.writeFieldName(name);
        json.writeArray(ids, 0, ids.length);
    }

    private void writeUsage(JsonGenerator json, int generated) throws IOException {
        json.writeObjectFieldStart("usage");
        json.writeNumberField("prompt_tokens", request.promptTokens());
        json.writeNumberField("total_tokens", request.promptTokens() + generated);
        json.writeNumberField("completion_tokens", generated);
        json.writeEndObject();
    }
}
