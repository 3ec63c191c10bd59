package dev.tuna.testkit.vllm;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Reads and checks the two kinds of generation request, with vLLM's defaults and refusals. */
final class RequestParser {

    /** vLLM's default for completions; chat defaults to what is left of the window. */
    private static final int COMPLETION_MAX_TOKENS = 16;

    private final StandInConfig config;

    RequestParser(StandInConfig config) {
        this.config = config;
    }

    GenerationRequest chat(JsonNode body, boolean honourPromptTokenIds) throws ApiError {
        Fields fields = new Fields(body);
        String model = model(fields);
        boolean continueFinal = fields.flag("continue_final_message", false);
        boolean generationPrompt = fields.flag("add_generation_prompt", true);
        if (continueFinal && generationPrompt) {
            throw ApiError.badRequest("Cannot set both `continue_final_message` and `add_generation_prompt` to True.");
        }
        if (fields.number("top_logprobs", 0, 0) > 0 && !fields.flag("logprobs", false)) {
            throw ApiError.badParameter("top_logprobs", "when using `top_logprobs`, `logprobs` must be set to true.");
        }
        JsonNode messages = fields.list("messages");
        ChatTemplate.Rendered rendered =
                ChatTemplate.render(messages, fields.at("tools"), continueFinal, generationPrompt);
        JsonNode given = fields.at("kv_transfer_params").path("prompt_token_ids");
        int[] prompt = given.isArray() && honourPromptTokenIds && !rendered.media()
                ? Fields.ids("kv_transfer_params", given)
                : rendered.ids();
        int wanted = fields.number("max_completion_tokens", fields.number("max_tokens", -1, 0), 0);
        int logprobs = fields.flag("logprobs", false) ? fields.number("top_logprobs", 0, 0) : -1;
        List<String> echo = fields.flag("echo", false) ? List.of(lastAssistantText(messages)) : List.of();
        return common(fields, true, model, List.of(prompt), wanted, logprobs, echo);
    }

    private static String lastAssistantText(JsonNode messages) {
        JsonNode last = messages.get(messages.size() - 1);
        return last.path("role").asText().equals("assistant")
                ? last.path("content").asText("")
                : "";
    }

    GenerationRequest completion(JsonNode body) throws ApiError {
        Fields fields = new Fields(body);
        String model = model(fields);
        List<int[]> prompts = prompts("prompt", fields.at("prompt"));
        int left = config.maxModelLen() - longest(prompts);
        int wanted = fields.number("max_tokens", Math.max(1, Math.min(COMPLETION_MAX_TOKENS, left)), 0);
        int logprobs = fields.number("logprobs", -1, 0);
        List<String> echo = fields.flag("echo", false)
                ? prompts.stream().map(StandInTokenizer::decode).collect(Collectors.toList())
                : List.of();
        return common(fields, false, model, prompts, wanted, logprobs, echo);
    }

    /** A string, a list of strings, a list of ids, or a list of lists of ids. */
    static List<int[]> prompts(String name, JsonNode prompt) throws ApiError {
        List<int[]> prompts = new ArrayList<>();
        if (prompt.isTextual()) {
            prompts.add(StandInTokenizer.encode(prompt.textValue()));
        } else if (prompt.isArray() && !prompt.isEmpty() && prompt.get(0).isNumber()) {
            prompts.add(Fields.ids(name, prompt));
        } else if (prompt.isArray() && !prompt.isEmpty()) {
            for (JsonNode one : prompt) {
                prompts.addAll(prompts(name, one));
            }
        } else {
            throw ApiError.badParameter(name, "Either prompt or prompt_embeds must be provided and non-empty.");
        }
        if (Arrays.equals(prompts.get(0), new int[0])) {
            throw ApiError.badParameter(name, "The decoder prompt cannot be empty");
        }
        return prompts;
    }

    String model(Fields fields) throws ApiError {
        if (!fields.body().isObject()) {
            throw ApiError.badRequest("the body must be a JSON object");
        }
        if (!fields.has("model")) {
            return config.servedName();
        }
        JsonNode model = fields.at("model");
        if (!model.isTextual()) {
            throw ApiError.badParameter("model", "model: must be a string, got " + model);
        }
        if (!config.servedNames().contains(model.textValue())) {
            throw ApiError.unknownModel(model.textValue());
        }
        return config.servedName();
    }

    private GenerationRequest common(
            Fields fields, boolean chat, String model, List<int[]> prompts, int wanted, int logprobs, List<String> echo)
            throws ApiError {
        boolean stream = fields.flag("stream", false);
        if (fields.has("stream_options") && !stream) {
            throw ApiError.badParameter("stream_options", "Stream options can only be defined when `stream=True`.");
        }
        Fields options = new Fields(fields.at("stream_options"));
        boolean usage = options.flag("include_usage", false);
        Set<Integer> stopIds = new TreeSet<>();
        for (int id : Fields.ids("stop_token_ids", fields.list("stop_token_ids"))) {
            stopIds.add(id);
        }
        List<String> stop = fields.strings("stop");
        if (stop.contains("")) {
            throw ApiError.badParameter("stop", "stop cannot contain an empty string.");
        }
        fields.real("top_p", 1, 0, 1);
        boolean samples = fields.real("temperature", 0, 0, 100) > 0 && fields.has("seed");
        return new GenerationRequest(
                chat,
                model,
                prompts,
                stream,
                usage,
                usage && options.flag("continuous_usage_stats", false),
                tokens(chat, prompts, wanted),
                fields.number("min_tokens", 0, 0),
                fields.number("n", 1, 1),
                stop,
                fields.flag("include_stop_str_in_output", false),
                stopIds,
                fields.flag("ignore_eos", false),
                samples ? fields.at("seed").asLong() + 1 : 0,
                fields.flag("return_token_ids", false),
                logprobs,
                chat && config.reasoning(),
                echo);
    }

    private static int longest(List<int[]> prompts) {
        return prompts.stream().mapToInt(prompt -> prompt.length).max().orElse(0);
    }

    /** How many tokens may be generated: what was asked for, which must fit the window, or what the window leaves. */
    private int tokens(boolean chat, List<int[]> prompts, int wanted) throws ApiError {
        int window = config.maxModelLen();
        int longest = longest(prompts);
        if (longest >= window) {
            throw ApiError.badParameter(
                    "input_tokens",
                    "This model's maximum context length is " + window + " tokens. However, your request has " + longest
                            + " input tokens. Please reduce the length of the input messages.");
        }
        if (wanted == 0) {
            throw ApiError.badParameter("max_tokens", "max_tokens must be at least 1, got 0.");
        }
        if (wanted > window - longest) {
            String name = chat ? "'max_tokens' or 'max_completion_tokens'" : "'max_tokens'";
            throw ApiError.badParameter(
                    "max_tokens",
                    name + " is too large: " + wanted + ". This model's maximum context length is " + window
                            + " tokens and your request has " + longest + " input tokens (" + wanted + " > " + window
                            + " - " + longest + ").");
        }
        return wanted < 0 ? window - longest : wanted;
    }
}
