package dev.tuna.core.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.DeploymentPhase;
import dev.tuna.core.store.InMemoryStateStore;
import dev.tuna.spi.DeploymentRecord;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateStore;
import dev.tuna.testkit.crash.ForwardingStateStore;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How much of a store is read for what somebody wants to see of it. */
class HistoryTest {

    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    private final InMemoryStateStore store = new InMemoryStateStore("owner");
    private final List<Integer> asked = new ArrayList<>();
    private final History history = new History(new Watched());

    private void fill(int number) {
        for (int i = 0; i < number; i++) {
            Instant ended = START.plusSeconds(i);
            store.save(StateChange.of(new DeploymentRecord(
                    "id-" + i, i % 100 == 0 ? "rare" : "usual", DeploymentPhase.DESTROYED, "{}", "{}", START, ended)));
        }
    }

    private List<String> newest(int number, String name) {
        return history.newest(number, record -> record.name().equals(name)).stream()
                .map(DeploymentRecord::id)
                .toList();
    }

    @Test
    void readsNoMoreThanAPieceForTheNewest() {
        fill(1000);
        assertThat(newest(2, "usual")).containsExactly("id-999", "id-998");
        assertThat(asked).containsExactly(64);
    }

    @Test
    void readsOnUntilItHasFoundEnough() {
        fill(1000);
        assertThat(newest(2, "rare")).containsExactly("id-900", "id-800");
        assertThat(asked).containsExactly(64, 128, 256);
    }

    @Test
    void findsAllThereIsWhenMoreIsWanted() {
        fill(1000);
        assertThat(newest(20, "rare")).hasSize(10);
        assertThat(newest(Integer.MAX_VALUE, "usual")).hasSize(990);
        assertThat(newest(1, "unknown")).isEmpty();
    }

    private final class Watched implements ForwardingStateStore {
        @Override
        public StateStore store() {
            return store;
        }

        @Override
        public List<DeploymentRecord> ended(int limit) {
            asked.add(limit);
            return store.ended(limit);
        }
    }
}
