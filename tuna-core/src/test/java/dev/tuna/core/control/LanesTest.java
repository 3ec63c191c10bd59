package dev.tuna.core.control;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A pool whose threads the test plays itself: a task that is not run hangs. */
class LanesTest {

    private final Deque<Runnable> threads = new ArrayDeque<>();
    private final List<String> done = new ArrayList<>();
    private final Lanes lanes = new Lanes(threads::add, 2);

    private void submit(String lane, String task) {
        lanes.of(lane).execute(() -> done.add(task));
    }

    @Test
    void aLaneThatHangsTakesUpItsWidthOfThePoolAndNoMore() {
        for (int i = 0; i < 100; i++) {
            submit("hangs", "never " + i);
        }
        assertThat(threads).hasSize(2);
        submit("other", "other");
        threads.removeLast().run();
        assertThat(done).containsExactly("other");
    }

    @Test
    void whatHadToWaitIsDoneInItsOrderAndTheLaneIsFreeAgain() {
        for (int i = 0; i < 5; i++) {
            submit("lane", "task " + i);
        }
        threads.removeFirst().run();
        threads.removeFirst().run();
        assertThat(done).containsExactly("task 0", "task 1", "task 2", "task 3", "task 4");
        submit("lane", "next");
        assertThat(threads).hasSize(1);
        threads.removeFirst().run();
        assertThat(done).endsWith("next");
    }

    @Test
    void aLaneThatNobodyUsesIsForgotten() {
        submit("lane", "task");
        submit("lane", "another");
        assertThat(lanes.inUse()).isEqualTo(1);
        threads.removeFirst().run();
        threads.removeFirst().run();
        assertThat(done).hasSize(2);
        assertThat(lanes.inUse()).isZero();
    }
}
