package dev.tuna.examples;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import dev.tuna.api.Secret;
import java.net.URI;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The official OpenAI client against one endpoint, its own retries switched off so that a failure shows. Thread-safe.
 *
 * <p>An answer counts only if it came to its proper end; anything else is an exception.
 */
final class Chat implements AutoCloseable {

    private final OpenAIClient client;
    private final String model;

    Chat(URI endpoint, Optional<Secret> key, String model) {
        this.client = OpenAIOkHttpClient.builder()
                .baseUrl(endpoint.toString())
                .apiKey(key.map(Secret::reveal).orElse("none"))
                .maxRetries(0)
                .build();
        this.model = model;
    }

    /** Asks and waits for the whole answer. */
    String ask(String question, int maxTokens) {
        ChatCompletion answer = client.chat().completions().create(question(question, maxTokens));
        if (answer.choices().isEmpty()) {
            throw new IllegalStateException("an answer without choices: " + answer.id());
        }
        return answer.choices().get(0).message().content().orElse("");
    }

    /** Asks and reads the answer as it is written. */
    String stream(String question, int maxTokens) {
        var text = new StringBuilder();
        var finished = new AtomicBoolean();
        try (StreamResponse<ChatCompletionChunk> chunks =
                client.chat().completions().createStreaming(question(question, maxTokens))) {
            chunks.stream().flatMap(chunk -> chunk.choices().stream()).forEach(choice -> {
                choice.delta().content().ifPresent(text::append);
                choice.finishReason().ifPresent(reason -> finished.set(true));
            });
        }
        if (!finished.get()) {
            throw new IllegalStateException("a stream ended without a finish reason after: " + text);
        }
        return text.toString();
    }

    private ChatCompletionCreateParams question(String question, int maxTokens) {
        return ChatCompletionCreateParams.builder()
                .model(model)
                .addUserMessage(question)
                .maxCompletionTokens(maxTokens)
                .build();
    }

    @Override
    public void close() {
        client.close();
    }
}
