package dev.tuna.examples.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.tuna.testkit.vllm.Fault;
import java.net.URI;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** LangChain4j's models, with the retries that they come with, never learn that a replica went away. */
class LangChain4jTest {

    private static final String PREEMPTIONS = "dev.tuna.examples.clients.PreemptedEndpoint#preemptions";
    private static final String QUESTION = "Where does the river go?";

    private final PreemptedEndpoint endpoint = new PreemptedEndpoint();

    @AfterEach
    void close() {
        endpoint.close();
    }

    /** What the pieces of a stream come to, and what its end says that they are. */
    private record Seen(String pieces, String whole, String finish, int tokens) {
        static Seen of(String pieces, ChatResponse end) {
            return new Seen(
                    pieces,
                    end.aiMessage().text(),
                    String.valueOf(end.finishReason()),
                    end.tokenUsage().outputTokenCount());
        }
    }

    /** Completes with what was streamed, or with the error that the caller was told of. */
    private static final class Streamed implements StreamingChatResponseHandler {
        private final StringBuilder pieces = new StringBuilder(); // told one after the other
        private final CompletableFuture<Seen> seen = new CompletableFuture<>();

        @Override
        public void onPartialResponse(String piece) {
            pieces.append(piece);
        }

        @Override
        public void onCompleteResponse(ChatResponse end) {
            seen.complete(Seen.of(pieces.toString(), end));
        }

        @Override
        public void onError(Throwable error) {
            seen.completeExceptionally(error);
        }
    }

    private Seen streamed(URI from) throws Exception {
        Streamed streamed = new Streamed();
        OpenAiStreamingChatModel.builder()
                .baseUrl(from.toString())
                .apiKey("none")
                .modelName(endpoint.model())
                .build()
                .chat(QUESTION, streamed);
        return streamed.seen.get(1, TimeUnit.MINUTES);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource(PREEMPTIONS)
    @DisplayName("a chat is streamed to its end though its replica is")
    void chat(String how, Fault preemption) throws Exception {
        endpoint.preempt(preemption);
        Seen seen = streamed(endpoint.uri());
        assertThat(seen).isEqualTo(streamed(endpoint.undisturbed()));
        assertThat(seen.pieces()).isNotBlank().isEqualTo(seen.whole());
        assertThat(endpoint.continued()).isEqualTo(1);
        assertThat(endpoint.answeredAndRetried()).isEqualTo("1 of 1 answered, 0 sent again");
    }

    private String whole(URI from) {
        return OpenAiChatModel.builder()
                .baseUrl(from.toString())
                .apiKey("none")
                .modelName(endpoint.model())
                .build()
                .chat(QUESTION);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource(PREEMPTIONS)
    @DisplayName("a chat is answered whole though its replica is")
    void wholeChat(String how, Fault preemption) {
        endpoint.preempt(preemption);
        assertThat(whole(endpoint.uri())).isNotBlank().isEqualTo(whole(endpoint.undisturbed()));
        assertThat(endpoint.answeredAndRetried()).isEqualTo("1 of 1 answered, 0 sent again");
    }
}
