package dev.tuna.testkit.time;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class HangingTaskTest {

    private final VirtualTime time = VirtualTime.create().letTasksHang();
    private final ScheduledExecutorService scheduler = time.scheduler();
    private final List<String> log = new ArrayList<>();

    private void note(String what) {
        log.add(what + "@" + Duration.ofNanos(time.nanoTime()).toMillis());
    }

    private void at(int millis, Runnable task) {
        var unused = scheduler.schedule(task, millis, MILLISECONDS);
    }

    private void hang(int millis, String name, AtomicReference<Thread> thread) {
        at(millis, () -> {
            thread.set(Thread.currentThread());
            note(name + " hangs");
            time.hang();
            note(name + " is back");
        });
    }

    private void interrupt(int millis, AtomicReference<Thread> thread) {
        at(millis, () -> {
            Objects.requireNonNull(thread.get()).interrupt();
            note("interrupt");
        });
    }

    @Test
    void timeAndOtherTasksGoOnWhileATaskHangs() {
        hang(10, "a", new AtomicReference<>());
        at(20, () -> note("b"));
        time.advance(Duration.ofMillis(30));
        at(10, () -> note("c"));
        time.advance(Duration.ofMillis(30));
        assertThat(log).containsExactly("a hangs@10", "b@20", "c@40");
        assertThat(time.nanoTime()).isEqualTo(Duration.ofMillis(60).toNanos());
    }

    @Test
    void aTaskComesBackWhenTheOneIsOverThatHasInterruptedItsThread() {
        var first = new AtomicReference<Thread>();
        var second = new AtomicReference<Thread>();
        hang(1, "a", first);
        hang(2, "b", second);
        interrupt(3, second);
        at(3, () -> note("c"));
        interrupt(4, first);
        time.advance(Duration.ofMillis(10));
        assertThat(log)
                .containsExactly(
                        "a hangs@1", "b hangs@2", "interrupt@3", "b is back@3", "c@3", "interrupt@4", "a is back@4");
    }

    @Test
    void aTaskThatIsBackMayHangAgain() {
        var thread = new AtomicReference<Thread>();
        at(1, () -> {
            thread.set(Thread.currentThread());
            time.hang();
            note("once");
            time.hang();
            note("twice");
        });
        interrupt(2, thread);
        interrupt(3, thread);
        time.advance(Duration.ofMillis(10));
        assertThat(log).containsExactly("interrupt@2", "once@2", "interrupt@3", "twice@3");
    }

    @Test
    void whatHangsInTheEndCanBeEnded() {
        hang(1, "a", new AtomicReference<>());
        hang(2, "b", new AtomicReference<>());
        time.advance(Duration.ofMillis(5));
        time.endHanging();
        time.endHanging();
        assertThat(log).containsExactly("a hangs@1", "b hangs@2", "a is back@5", "b is back@5");
    }

    @Test
    void whatATaskThrowsComesOutWhereTimeIsMoved() {
        scheduler.execute(() -> {
            throw new IllegalArgumentException("boom");
        });
        assertThatThrownBy(() -> time.advance(Duration.ofMillis(5))).hasMessageContaining("boom");
    }

    @Test
    void onlyATaskOfATimeThatAllowsItCanHang() {
        assertThatThrownBy(time::hang).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(VirtualTime.create()::hang).hasMessageContaining("letTasksHang");
    }
}
