package dev.tuna.router.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class DepartureTest {

    private static final long SECOND = 1_000_000_000L;
    private static final Duration LEAD = Duration.ofSeconds(20);

    /** Known at second 0, two minutes' notice. */
    private static final Departure NOTICE = new Departure(0, 120 * SECOND);

    private static boolean isDue(long second, double turn) {
        return NOTICE.isDue(second * SECOND, LEAD, turn, 0, 10, OptionalInt.empty());
    }

    @Test
    @DisplayName("nobody leaves before the lead, the first at its beginning, the last at its middle")
    void leavesInTurn() {
        assertThat(isDue(99, 0)).isFalse();
        assertThat(isDue(100, 0)).isTrue();
        assertThat(isDue(104, 0.5)).isFalse();
        assertThat(isDue(105, 0.5)).isTrue();
        assertThat(isDue(109, 1)).isFalse();
        assertThat(isDue(110, 1)).isTrue();
    }

    @Test
    @DisplayName("a short limit is not used up by the lead: a quarter of it at most")
    void shortLimits() {
        Departure limit = new Departure(0, 8 * SECOND);
        assertThat(limit.isDue(5 * SECOND, LEAD, 0, 0, 10, OptionalInt.empty())).isFalse();
        assertThat(limit.isDue(6 * SECOND, LEAD, 0, 0, 10, OptionalInt.empty())).isTrue();
    }

    @Test
    @DisplayName("who will be done in time at the present pace stays; who will not leaves")
    void staysIfAlmostDone() {
        // 100 tokens in 110 seconds; 10 seconds are left, less a margin of 2.5
        assertThat(NOTICE.isDue(110 * SECOND, LEAD, 0, 0, 100, OptionalInt.of(6)))
                .isFalse();
        assertThat(NOTICE.isDue(110 * SECOND, LEAD, 0, 0, 100, OptionalInt.of(8)))
                .isTrue();
        assertThat(NOTICE.isDue(110 * SECOND, LEAD, 0, 0, 0, OptionalInt.of(1)))
                .as("its pace is not known")
                .isTrue();
    }

    @Test
    @DisplayName("an end that has passed is due")
    void passed() {
        assertThat(isDue(500, 1)).isTrue();
    }
}
