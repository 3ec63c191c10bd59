package dev.tuna.testkit.vllm;

import java.util.List;
import java.util.Set;

/**
 * A checked request to generate, chat and completion alike.
 *
 * @param prompts one list of ids per prompt; chat always has one
 * @param salt enters the model, zero unless sampling was seeded
 * @param logprobs how many alternatives per token, below zero for no log probabilities at all
 * @param reasoning whether the model thinks before it speaks, and the server tells the two apart
 * @param echo per prompt the text to begin the answer with, empty lists when not asked for
 */
record GenerationRequest(
        boolean chat,
        String model,
        List<int[]> prompts,
        boolean stream,
        boolean usage,
        boolean usageOnEveryChunk,
        int maxTokens,
        int minTokens,
        int choicesPerPrompt,
        List<String> stop,
        boolean includeStop,
        Set<Integer> stopIds,
        boolean ignoreEnd,
        long salt,
        boolean tokenIds,
        int logprobs,
        boolean reasoning,
        List<String> echo) {

    int promptTokens() {
        return prompts.stream().mapToInt(prompt -> prompt.length).sum();
    }

    int choices() {
        return prompts.size() * choicesPerPrompt;
    }

    int[] promptOf(int choice) {
        return prompts.get(choice / choicesPerPrompt);
    }

    String echoOf(int choice) {
        return echo.isEmpty() ? "" : echo.get(choice / choicesPerPrompt);
    }
}
