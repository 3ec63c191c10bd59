package dev.tuna.provider.support;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.ProviderException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

class NewestTest {

    private Instant now = Instant.parse("2026-11-30T12:00:00Z");
    private boolean fails;
    private int calls;
    private final Newest<String> newest =
            new Newest<>("prices", "built in", this::read, Duration.ofMinutes(10), Duration.ofMinutes(1), () -> now);

    private String read(Instant at) {
        calls++;
        if (fails) {
            throw ProviderException.of("cloud", "read prices").httpStatus(503).build();
        }
        return "of " + at;
    }

    @Test
    void whatIsKnownAsksNobody() {
        assertThat(newest.known()).isEqualTo("built in");
        assertThat(calls).isZero();
    }

    @Test
    void anAnswerIsUsedForAWhile() {
        assertThat(newest.fresh()).isEqualTo("of 2026-11-30T12:00:00Z");
        now = now.plusSeconds(599);
        assertThat(newest.fresh()).isEqualTo("of 2026-11-30T12:00:00Z");
        assertThat(calls).isEqualTo(1);
        now = now.plusSeconds(1);
        assertThat(newest.fresh()).isEqualTo("of 2026-11-30T12:10:00Z");
        assertThat(newest.known()).isEqualTo("of 2026-11-30T12:10:00Z");
    }

    @Test
    void aCloudThatDoesNotAnswerIsLeftAloneAndChangesNothing() {
        newest.fresh();
        fails = true;
        now = now.plus(Duration.ofMinutes(10));
        assertThat(newest.fresh()).isEqualTo("of 2026-11-30T12:00:00Z");
        now = now.plusSeconds(59);
        newest.fresh();
        assertThat(calls).isEqualTo(2);
        fails = false;
        now = now.plusSeconds(1);
        assertThat(newest.fresh()).isEqualTo("of 2026-11-30T12:11:00Z");
    }

    @Test
    void whoeverAsksFirstWaitsAndLaterNobodyDoes() {
        List<Runnable> background = new ArrayList<>();
        assertThat(newest.soonFresh(background::add)).isEqualTo("of 2026-11-30T12:00:00Z");
        now = now.plus(Duration.ofMinutes(10));
        assertThat(newest.soonFresh(background::add)).isEqualTo("of 2026-11-30T12:00:00Z");
        assertThat(newest.soonFresh(background::add)).isEqualTo("of 2026-11-30T12:00:00Z");
        background.forEach(Runnable::run);
        assertThat(newest.soonFresh(background::add)).isEqualTo("of 2026-11-30T12:10:00Z");
        assertThat(calls).isEqualTo(2);
    }

    @Test
    void whatIsKnownStaysOnceTheBackgroundIsClosed() {
        newest.fresh();
        now = now.plus(Duration.ofMinutes(10));
        assertThat(newest.soonFresh(task -> {
                    throw new RejectedExecutionException("closed");
                }))
                .isEqualTo("of 2026-11-30T12:00:00Z");
    }
}
