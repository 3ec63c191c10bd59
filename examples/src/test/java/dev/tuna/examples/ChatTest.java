package dev.tuna.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.Secret;
import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.Fault.Moment;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ChatTest {

    private final VllmStandIn server = VllmStandIn.start();
    private final Chat chat = new Chat(URI.create(server.uri() + "/v1"), Optional.of(Secret.of("key")), server.model());

    @AfterEach
    void end() {
        chat.close();
        server.close();
    }

    @Test
    void theOfficialClientGetsTheSameAnswerWholeAndStreamed() {
        assertThat(chat.stream("Hello", 8)).isNotBlank().isEqualTo(chat.ask("Hello", 8));
    }

    @Test
    void anErrorIsAFailureAndIsNotRetriedBehindOurBack() {
        server.inject(Fault.status(500));
        assertThatThrownBy(() -> chat.ask("Hello", 8)).hasMessageContaining("500");
        assertThat(server.requests()).hasSize(1);
    }

    @Test
    void aStreamThatIsCutIsAFailure() {
        server.inject(Fault.reset(Moment.atToken(3)));
        assertThatThrownBy(() -> chat.stream("Hello", 8)).isInstanceOf(RuntimeException.class);
    }

    @Test
    void clientsOfALoadCountWhatTheyGetAndStopAfterTheRequestTheyAreAt() throws InterruptedException {
        try (Load load = Load.start(chat, 4)) {
            await(() -> load.counts().answered() >= 40);
            long old = load.lastSent();
            await(() -> load.allAnsweredUpTo(old));
            Load.Counts counts = load.stop(Duration.ofSeconds(60));
            assertThat(counts.failed()).isZero();
            assertThat(counts.sent())
                    .isEqualTo(counts.answered())
                    .isEqualTo(server.stats().requests());
            assertThat(counts.streamed()).isPositive().isLessThan(counts.answered());
        }
    }

    @Test
    void clientsOfALoadRememberWhatWentWrong() throws InterruptedException {
        server.inject(Fault.status(503).times(2));
        try (Load load = Load.start(chat, 2)) {
            await(() -> load.counts().answered() >= 10);
            Load.Counts counts = load.stop(Duration.ofSeconds(60));
            assertThat(counts.failed()).isEqualTo(2);
            assertThat(counts.failures())
                    .isNotEmpty()
                    .allSatisfy(what -> assertThat(what).contains("503"));
            assertThat(counts.sent()).isEqualTo(counts.answered() + counts.failed());
        }
    }

    private static void await(java.util.function.BooleanSupplier condition) {
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("gave up waiting").isLessThan(deadline);
            LockSupport.parkNanos(5_000_000);
        }
    }
}
