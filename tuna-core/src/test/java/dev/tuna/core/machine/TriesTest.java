package dev.tuna.core.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class TriesTest {

    private static final long SECOND = Duration.ofSeconds(1).toNanos();

    @Test
    void theFirstTryIsDueAtOnce() {
        assertThat(Tries.NONE.areDue(Long.MIN_VALUE)).isTrue();
    }

    @Test
    void everyFailureDoublesTheWaitUpToAMinute() {
        Tries tries = Tries.NONE;
        for (int seconds : new int[] {1, 2, 4, 8, 16, 32, 60, 60, 60}) {
            tries = tries.failed(SECOND);
            assertThat(tries.pause()).isEqualTo(Duration.ofSeconds(seconds));
            assertThat(tries.areDue(SECOND * seconds)).isFalse();
            assertThat(tries.areDue(SECOND * (seconds + 1))).isTrue();
        }
        for (int i = 0; i < 100; i++) {
            tries = tries.failed(0);
        }
        assertThat(tries.pause()).isEqualTo(Duration.ofMinutes(1));
    }
}
