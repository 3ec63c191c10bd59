package dev.tuna.testkit.vllm;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.stream.IntStream;

/** Turns chat messages into token ids: each turn is {@code TURN role newline content END newline}. */
final class ChatTemplate {

    private final IntStream.Builder ids = IntStream.builder();
    private boolean media;

    private ChatTemplate() {}

    /** The ids of a conversation and whether it holds images, sound or film. */
    @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
    record Rendered(int[] ids, boolean media) {}

    static Rendered render(JsonNode messages, JsonNode tools, boolean continueFinal, boolean generationPrompt)
            throws ApiError {
        if (!messages.isArray() || messages.isEmpty()) {
            throw ApiError.badParameter("messages", "messages: a list with at least one message is required");
        }
        ChatTemplate template = new ChatTemplate();
        if (tools.isArray() && !tools.isEmpty()) {
            template.open("system").text(tools.toString()).close();
        }
        for (int i = 0; i < messages.size(); i++) {
            template.message(messages.get(i));
            if (!continueFinal || i < messages.size() - 1) {
                template.close();
            }
        }
        if (generationPrompt) {
            template.open("assistant");
        }
        return new Rendered(template.ids.build().toArray(), template.media);
    }

    private void message(JsonNode message) throws ApiError {
        JsonNode role = message.path("role");
        if (!role.isTextual()) {
            throw ApiError.badParameter("messages", "messages: every message needs a role, got " + message);
        }
        open(role.textValue());
        JsonNode content = message.path("content");
        if (content.isArray()) {
            for (JsonNode part : content) {
                part(part);
            }
        } else if (content.isTextual()) {
            text(content.textValue());
        } else if (!content.isNull() && !content.isMissingNode()) {
            throw ApiError.badParameter("messages", "messages: content must be a string or a list of parts");
        }
        if (message.path("tool_calls").isArray()) {
            text(message.path("tool_calls").toString());
        }
    }

    private void part(JsonNode part) throws ApiError {
        String type = part.path("type").asText("");
        if (part.isTextual()) {
            text(part.textValue());
        } else if (type.equals("text")) {
            text(part.path("text").asText(""));
        } else if (type.isEmpty()) {
            throw ApiError.badParameter("messages", "messages: a content part needs a type, got " + part);
        } else {
            media = true;
            ids.add(StandInTokenizer.MEDIA);
            text(part.path(type).toString());
        }
    }

    private ChatTemplate open(String role) {
        ids.add(StandInTokenizer.TURN);
        return text(role).text("\n");
    }

    private ChatTemplate text(String text) {
        for (int id : StandInTokenizer.encode(text)) {
            ids.add(id);
        }
        return this;
    }

    private void close() {
        ids.add(StandInTokenizer.END);
        text("\n");
    }
}
