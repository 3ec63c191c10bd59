package dev.tuna.examples.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.testkit.vllm.Fault;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.Generation;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.openai.OpenAiChatModel;
import org.springframework.ai.openai.OpenAiChatOptions;
import org.springframework.util.StringUtils;

/** Spring AI's model, with the retries that it comes with, never learns that a replica went away. */
class SpringAiTest {

    private static final String PREEMPTIONS = "dev.tuna.examples.clients.PreemptedEndpoint#preemptions";
    private static final Prompt QUESTION = new Prompt("Where does the river go?");

    private final PreemptedEndpoint endpoint = new PreemptedEndpoint();

    @AfterEach
    void close() {
        endpoint.close();
    }

    private OpenAiChatModel model(URI of) {
        return OpenAiChatModel.builder()
                .options(OpenAiChatOptions.builder()
                        .baseUrl(of.toString())
                        .apiKey("none")
                        .model(endpoint.model())
                        .streamUsage(true)
                        .build())
                .build();
    }

    /** What a caller gets of an answer, whole or in pieces, but for ids and times. */
    private record Seen(String text, List<String> finishes, int tokens, int ids) {
        static Seen of(List<ChatResponse> answers) {
            List<Generation> results = answers.stream()
                    .flatMap(answer -> answer.getResults().stream())
                    .toList();
            return new Seen(
                    results.stream()
                            .map(result -> result.getOutput().getText())
                            .filter(Objects::nonNull)
                            .collect(Collectors.joining()),
                    results.stream()
                            .map(result -> result.getMetadata().getFinishReason())
                            .filter(StringUtils::hasText)
                            .toList(),
                    answers.get(answers.size() - 1).getMetadata().getUsage().getCompletionTokens(),
                    (int) answers.stream()
                            .map(answer -> answer.getMetadata().getId())
                            .distinct()
                            .count());
        }
    }

    private Seen streamed(URI from) {
        return Seen.of(model(from).stream(QUESTION)
                .collectList()
                .blockOptional(Duration.ofMinutes(1))
                .orElseThrow());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource(PREEMPTIONS)
    @DisplayName("a chat is streamed to its end though its replica is")
    void chat(String how, Fault preemption) {
        endpoint.preempt(preemption);
        Seen seen = streamed(endpoint.uri());
        assertThat(seen).isEqualTo(streamed(endpoint.undisturbed()));
        assertThat(seen.text()).isNotBlank();
        assertThat(seen.tokens()).isPositive();
        assertThat(seen.finishes()).hasSize(1);
        assertThat(seen.ids()).isEqualTo(1);
        assertThat(endpoint.continued()).isEqualTo(1);
        assertThat(endpoint.answeredAndRetried()).isEqualTo("1 of 1 answered, 0 sent again");
    }

    private Seen whole(URI from) {
        return Seen.of(List.of(model(from).call(QUESTION)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource(PREEMPTIONS)
    @DisplayName("a chat is answered whole though its replica is")
    void wholeChat(String how, Fault preemption) {
        endpoint.preempt(preemption);
        Seen seen = whole(endpoint.uri());
        assertThat(seen).isEqualTo(whole(endpoint.undisturbed()));
        assertThat(seen.text()).isNotBlank();
        assertThat(seen.tokens()).isPositive();
        assertThat(endpoint.answeredAndRetried()).isEqualTo("1 of 1 answered, 0 sent again");
    }
}
