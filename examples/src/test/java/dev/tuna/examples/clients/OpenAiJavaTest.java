package dev.tuna.examples.clients;

import static org.assertj.core.api.Assertions.assertThat;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionCreateParams;
import dev.tuna.testkit.vllm.Fault;
import java.net.URI;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The official Java client, with the retries that it comes with, never learns that a replica went away. */
class OpenAiJavaTest {

    private static final String PREEMPTIONS = "dev.tuna.examples.clients.PreemptedEndpoint#preemptions";
    private static final String QUESTION = "Where does the river go?";

    private final PreemptedEndpoint endpoint = new PreemptedEndpoint();
    private final OpenAIClient client = client(endpoint.uri());
    private final OpenAIClient undisturbed = client(endpoint.undisturbed());

    private static OpenAIClient client(URI uri) {
        return OpenAIOkHttpClient.builder()
                .baseUrl(uri.toString())
                .apiKey("none")
                .build();
    }

    @AfterEach
    void close() {
        client.close();
        undisturbed.close();
        endpoint.close();
    }

    /** What a caller gets of a stream, but for ids and times. */
    private record Seen(String text, List<String> finishes, long tokens, int ids) {}

    private Seen streamedChat(OpenAIClient from) {
        ChatCompletionCreateParams question = ChatCompletionCreateParams.builder()
                .model(endpoint.model())
                .addUserMessage(QUESTION)
                .streamOptions(
                        ChatCompletionStreamOptions.builder().includeUsage(true).build())
                .build();
        try (var stream = from.chat().completions().createStreaming(question)) {
            List<ChatCompletionChunk> chunks = stream.stream().collect(Collectors.toList());
            var choices =
                    chunks.stream().flatMap(chunk -> chunk.choices().stream()).toList();
            return new Seen(
                    choices.stream()
                            .map(choice -> choice.delta().content().orElse(""))
                            .collect(Collectors.joining()),
                    choices.stream()
                            .flatMap(choice -> choice.finishReason().stream())
                            .map(Object::toString)
                            .toList(),
                    chunks.get(chunks.size() - 1).usage().orElseThrow().completionTokens(),
                    (int) chunks.stream()
                            .map(ChatCompletionChunk::id)
                            .distinct()
                            .count());
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource(PREEMPTIONS)
    @DisplayName("a chat is streamed to its end though its replica is")
    void chat(String how, Fault preemption) {
        endpoint.preempt(preemption);
        Seen seen = streamedChat(client);
        assertThat(seen).isEqualTo(streamedChat(undisturbed));
        assertThat(seen.finishes()).hasSize(1);
        assertThat(seen.ids()).isEqualTo(1);
        assertThat(endpoint.continued()).isEqualTo(1);
        assertThat(endpoint.answeredAndRetried()).isEqualTo("1 of 1 answered, 0 sent again");
    }

    private String streamedCompletion(OpenAIClient from) {
        CompletionCreateParams question = CompletionCreateParams.builder()
                .model(endpoint.model())
                .prompt(QUESTION)
                .maxTokens(40)
                .build();
        try (var stream = from.completions().createStreaming(question)) {
            List<Completion> chunks = stream.stream().collect(Collectors.toList());
            return chunks.stream()
                    .flatMap(chunk -> chunk.choices().stream())
                    .map(choice -> choice.text())
                    .collect(Collectors.joining());
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource(PREEMPTIONS)
    @DisplayName("a completion is streamed to its end though its replica is")
    void completion(String how, Fault preemption) {
        endpoint.preempt(preemption);
        assertThat(streamedCompletion(client)).isNotBlank().isEqualTo(streamedCompletion(undisturbed));
        assertThat(endpoint.continued()).isEqualTo(1);
        assertThat(endpoint.answeredAndRetried()).isEqualTo("1 of 1 answered, 0 sent again");
    }

    private String whole(OpenAIClient from) {
        ChatCompletion answer = from.chat()
                .completions()
                .create(ChatCompletionCreateParams.builder()
                        .model(endpoint.model())
                        .addUserMessage(QUESTION)
                        .build());
        return answer.choices().get(0).message().content().orElseThrow();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource(PREEMPTIONS)
    @DisplayName("a chat is answered whole though its replica is")
    void wholeChat(String how, Fault preemption) {
        endpoint.preempt(preemption);
        assertThat(whole(client)).isNotBlank().isEqualTo(whole(undisturbed));
        assertThat(endpoint.answeredAndRetried()).isEqualTo("1 of 1 answered, 0 sent again");
    }
}
