package dev.tuna.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.testkit.vllm.VllmStandIn;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

class StandInTest {

    @Test
    void aServerThatFellSilentHoldsWhatItGetsAndHasBegunToAnswerNothing() throws Exception {
        try (VllmStandIn server = VllmStandIn.start();
                Chat chat = new Chat(URI.create(server.uri() + "/v1"), Optional.empty(), server.model())) {
            var seen = new StandIn(HttpClient.newHttpClient(), server.uri());
            assertThat(chat.ask("Hello", 4)).isNotBlank();
            assertThat(seen.held()).isZero();

            seen.fallSilent();
            CompletableFuture<String> stream = CompletableFuture.supplyAsync(() -> chat.stream("Hello", 4));
            Patience.await("the request", Duration.ofSeconds(60), () -> seen.held() == 1);
            assertThat(seen.halfAnswered()).isZero();
            assertThat(stream).isNotDone();

            server.kill();
            assertThatThrownBy(stream::join).isInstanceOf(CompletionException.class);
        }
    }
}
