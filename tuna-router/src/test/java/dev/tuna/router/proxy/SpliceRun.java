package dev.tuna.router.proxy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a client got of a stream, with everything left out that may differ between two runs: how the text was cut into
 * chunks, and the id and time of creation. Two streams that say the same are equal.
 *
 * @param flaw what is wrong with the stream as a stream; empty if nothing is
 * @param text everything said
 * @param reasoning everything thought
 * @param ids token ids that the client was told
 * @param promptIds prompt ids that the client was told
 * @param logprobs one entry per token
 * @param finish the finish reason and the stop reason
 * @param usage as in the last usage chunk
 */
record SpliceRun(
        String flaw,
        String text,
        String reasoning,
        List<Integer> ids,
        List<Integer> promptIds,
        List<JsonNode> logprobs,
        String finish,
        String usage) {

    static final SpliceRun NOTHING = new SpliceRun("", "", "", List.of(), List.of(), List.of(), "", "");

    static SpliceRun of(String body) {
        List<String> events = Bench.events(body);
        StringBuilder text = new StringBuilder();
        StringBuilder reasoning = new StringBuilder();
        List<Integer> ids = new ArrayList<>();
        List<Integer> promptIds = new ArrayList<>();
        List<JsonNode> logprobs = new ArrayList<>();
        List<String> flaws = new ArrayList<>();
        List<String> finishes = new ArrayList<>();
        Set<String> heads = new HashSet<>();
        String usage = "";
        int roles = 0;
        int finalUsages = 0;
        for (int i = 0; i < events.size(); i++) {
            String event = events.get(i);
            if (event.equals("[DONE]")) {
                check(i == events.size() - 1, "something behind [DONE]", flaws);
                continue;
            }
            JsonNode chunk = Bench.json(event);
            check(!chunk.has("error"), "error " + chunk.path("error").path("code"), flaws);
            heads.add(chunk.path("id") + " " + chunk.path("object") + " " + chunk.path("created") + " "
                    + chunk.path("model"));
            JsonNode choice = chunk.path("choices").path(0);
            JsonNode delta = choice.path("delta");
            roles += delta.has("role") ? 1 : 0;
            check(finishes.isEmpty() || choice.isMissingNode(), "a chunk behind the finish reason", flaws);
            text.append(delta.path("content").asText(""))
                    .append(choice.path("text").asText(""));
            reasoning.append(delta.path("reasoning").asText(""));
            choice.path("token_ids").forEach(id -> ids.add(id.intValue()));
            chunk.path("prompt_token_ids").forEach(id -> promptIds.add(id.intValue()));
            choice.path("prompt_token_ids").forEach(id -> promptIds.add(id.intValue()));
            logprobs.addAll(logprobs(choice.path("logprobs")));
            if (choice.hasNonNull("finish_reason")) {
                finishes.add(choice.path("finish_reason").asText() + " " + choice.path("stop_reason"));
            }
            if (chunk.hasNonNull("usage")) {
                usage = chunk.path("usage").toString();
                finalUsages += choice.isMissingNode() ? 1 : 0;
            }
        }
        check(!events.isEmpty() && events.get(events.size() - 1).equals("[DONE]"), "no [DONE]", flaws);
        check(heads.size() == 1, "heads " + heads, flaws);
        boolean chat = heads.toString().contains("chat.completion.chunk");
        check(roles == (chat ? 1 : 0), roles + " roles", flaws);
        check(finalUsages <= 1, finalUsages + " usage chunks", flaws);
        return new SpliceRun(
                String.join("; ", flaws),
                text.toString(),
                reasoning.toString(),
                ids,
                promptIds,
                logprobs,
                String.join("; ", finishes),
                usage);
    }

    /**
     * The same without the places where tokens begin in the text: servers count them from the text told so far, which
     * depends on when they tell it.
     */
    SpliceRun withoutOffsets() {
        List<JsonNode> entries = logprobs.stream()
                .<JsonNode>map(entry -> ((ObjectNode) entry).deepCopy().without("offset"))
                .toList();
        return new SpliceRun(flaw, text, reasoning, ids, promptIds, entries, finish, usage);
    }

    private static void check(boolean holds, String flaw, List<String> flaws) {
        if (!holds) {
            flaws.add(flaw);
        }
    }

    /** One entry per token, whichever the shape. */
    private static List<JsonNode> logprobs(JsonNode logprobs) {
        List<JsonNode> entries = new ArrayList<>();
        if (logprobs.path("content") instanceof ArrayNode content) {
            content.forEach(entries::add);
        }
        for (int i = 0; i < logprobs.path("tokens").size(); i++) {
            ObjectNode entry = Bench.JSON.createObjectNode();
            entry.set("token", logprobs.path("tokens").get(i));
            entry.set("logprob", logprobs.path("token_logprobs").get(i));
            entry.set("top", logprobs.path("top_logprobs").get(i));
            entry.set("offset", logprobs.path("text_offset").get(i));
            entries.add(entry);
        }
        return entries;
    }
}
