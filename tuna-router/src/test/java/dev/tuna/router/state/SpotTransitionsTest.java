package dev.tuna.router.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.SpotState;
import dev.tuna.router.state.SpotEvent.FleetSeen;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpotTransitionsTest {

    @ParameterizedTest(name = "{0} with {1} warming and {2} usable becomes {3}")
    @DisplayName("R-22 R-23 R-25 R-28 the whole table of spot states")
    @CsvSource({
        "COLD, 0, 0, COLD",
        "COLD, 1, 0, WARMING",
        "COLD, 0, 1, READY",
        "COLD, 2, 3, READY",
        "WARMING, 0, 0, COLD",
        "WARMING, 1, 0, WARMING",
        "WARMING, 0, 1, READY",
        "WARMING, 2, 3, READY",
        "READY, 0, 0, COLD",
        "READY, 1, 0, WARMING",
        "READY, 0, 1, READY",
        "READY, 2, 3, READY",
    })
    void followsTheFleet(SpotState before, int warming, int usable, SpotState after) {
        assertThat(SpotTransitions.next(before, new FleetSeen(warming, usable))).isEqualTo(after);
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "1, 0", "0, 1", "2, 3"})
    void theSameNewsTwiceChangesNothing(int warming, int usable) {
        FleetSeen news = new FleetSeen(warming, usable);
        SpotState once = SpotTransitions.next(SpotState.COLD, news);

        assertThat(SpotTransitions.next(once, news)).isEqualTo(once);
    }

    @Test
    void refusesNegativeNumbers() {
        assertThatThrownBy(() -> new FleetSeen(-1, 0)).hasMessageContaining("-1 warming");
        assertThatThrownBy(() -> new FleetSeen(0, -2)).hasMessageContaining("-2 usable");
    }
}
