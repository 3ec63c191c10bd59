package dev.tuna.router.admin;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventLogTest {

    private static EventLog with(EventLog log, int first, int last) {
        return log.with(IntStream.rangeClosed(first, last)
                .mapToObj(number -> new RouterEvent(RouterEvent.Type.SHARE, "chat", "{\"number\":" + number + "}"))
                .toList());
    }

    @Test
    void numbersEventsAndFindsThemAgain() {
        EventLog log = with(with(EventLog.of("run"), 1, 2), 3, 3);
        assertThat(log.last()).isEqualTo(3);
        for (int number = 1; number <= 3; number++) {
            assertThat(log.event(number).json()).isEqualTo("{\"number\":" + number + "}");
            assertThat(log.number(log.id(number))).hasValue(number);
        }
        assertThat(log.goesBackTo(0)).isTrue();
        assertThat(log.number(log.id(0))).as("before the first").hasValue(0);
    }

    @Test
    void forgetsTheOldest() {
        EventLog log = with(with(EventLog.of("run"), 1, 7), 8, EventLog.MOST + 5);
        assertThat(log.goesBackTo(5)).isTrue();
        assertThat(log.goesBackTo(4)).isFalse();
        assertThat(log.event(6).json()).isEqualTo("{\"number\":6}");
        assertThat(log.event(log.last()).json()).isEqualTo("{\"number\":" + (EventLog.MOST + 5) + "}");

        EventLog flooded = with(log, EventLog.MOST + 6, 4 * EventLog.MOST);
        assertThat(flooded.goesBackTo(3 * EventLog.MOST)).isTrue();
        assertThat(flooded.goesBackTo(3 * EventLog.MOST - 1)).isFalse();
    }

    @Test
    void anEmptyLogKnowsNothingButItsBeginning() {
        EventLog log = EventLog.of("run");
        assertThat(log.last()).isZero();
        assertThat(log.goesBackTo(0)).isTrue();
        assertThat(log.with(List.of()).last()).isZero();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "run", "run-", "run-4", "run--1", "run-1x", "other-1", "-1", "run-99999999999999999999"})
    void idsOfOthersAreUnknown(String id) {
        assertThat(with(EventLog.of("run"), 1, 3).number(id)).isEmpty();
    }
}
