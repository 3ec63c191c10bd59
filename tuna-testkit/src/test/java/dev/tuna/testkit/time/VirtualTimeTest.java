package dev.tuna.testkit.time;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class VirtualTimeTest {

    private final VirtualTime time = VirtualTime.create();
    private final ScheduledExecutorService scheduler = time.scheduler();
    private final List<String> log = new ArrayList<>();

    private void note(String what) {
        log.add(what + "@" + Duration.ofNanos(time.nanoTime()).toMillis());
    }

    @Test
    void standsStillUntilAdvanced() {
        assertThat(time.instant()).isEqualTo(VirtualTime.DEFAULT_START);
        time.advance(Duration.ofSeconds(90));
        assertThat(time.instant()).isEqualTo(VirtualTime.DEFAULT_START.plusSeconds(90));
        assertThat(time.ticker().getAsLong()).isEqualTo(Duration.ofSeconds(90).toNanos());
    }

    @Test
    void runsTasksInTheOrderOfTheirTimeAndThenOfTheirScheduling() {
        var c = scheduler.schedule(() -> note("c"), 20, MILLISECONDS);
        var a = scheduler.schedule(() -> note("a"), 10, MILLISECONDS);
        var b = scheduler.schedule(() -> note("b"), 10, MILLISECONDS);
        scheduler.execute(() -> note("now"));
        time.advance(Duration.ofMillis(15));
        assertThat(log).containsExactly("now@0", "a@10", "b@10");
        assertThat(List.of(a.isDone(), b.isDone(), c.isDone())).containsExactly(true, true, false);
        time.advance(Duration.ofMillis(5));
        assertThat(log).last().isEqualTo("c@20");
    }

    @Test
    void runsWhatATaskSchedulesWithinTheSameSpan() {
        scheduler.execute(() -> {
            note("first");
            scheduler.execute(() -> note("second"));
            Future<?> third = scheduler.schedule(() -> note("third"), 3, MILLISECONDS);
            assertThat(third.isDone()).isFalse();
        });
        time.advance(Duration.ofMillis(3));
        assertThat(log).containsExactly("first@0", "second@0", "third@3");
    }

    @Test
    void keepsARateWhateverTheTaskDoesAndADelayAfterIt() {
        var rate = scheduler.scheduleAtFixedRate(() -> note("rate"), 5, 10, MILLISECONDS);
        var delay = scheduler.scheduleWithFixedDelay(() -> note("delay"), 0, 20, MILLISECONDS);
        time.advance(Duration.ofMillis(30));
        assertThat(log).containsExactly("delay@0", "rate@5", "rate@15", "delay@20", "rate@25");
        assertThat(rate.cancel(false)).isTrue();
        assertThat(delay.cancel(false)).isTrue();
        assertThat(time.runUntilIdle(Duration.ofHours(1))).isTrue();
        assertThat(log).hasSize(5);
    }

    @Test
    void stopsAPeriodicTaskThatFails() {
        Future<?> failing = scheduler.scheduleAtFixedRate(
                () -> {
                    note("tick");
                    throw new IllegalStateException("broken");
                },
                1,
                1,
                SECONDS);
        time.advance(Duration.ofSeconds(10));
        assertThat(log).hasSize(1);
        assertThatThrownBy(failing::get).hasRootCauseMessage("broken");
    }

    @Test
    void bringsTheFailureOfAnExecutedTaskToWhoeverMovesTime() {
        scheduler.execute(() -> {
            throw new IllegalStateException("broken");
        });
        assertThatThrownBy(time::runDue).hasRootCauseMessage("broken");
        scheduler.execute(() -> note("after"));
        time.runDue();
        assertThat(log).containsExactly("after@0");
    }

    @Test
    void givesResultsOfSubmittedTasks() throws Exception {
        Future<Integer> answer = scheduler.submit(() -> 42);
        assertThat(answer.isDone()).isFalse();
        time.runDue();
        assertThat(answer.get()).isEqualTo(42);
    }

    @Test
    void movesTheWallClockAloneOnAJump() {
        Future<?> timer = scheduler.schedule(() -> note("timer"), 1, SECONDS);
        time.jump(Duration.ofDays(-400));
        assertThat(time.instant()).isEqualTo(VirtualTime.DEFAULT_START.minus(Duration.ofDays(400)));
        time.runDue();
        assertThat(timer.isDone()).isFalse();
        time.advance(Duration.ofSeconds(1));
        assertThat(log).containsExactly("timer@1000");
    }

    @Test
    void stopsAtAnInstantOrWhenAConditionHolds() {
        AtomicInteger ticks = new AtomicInteger();
        Future<?> ticking = scheduler.scheduleAtFixedRate(ticks::incrementAndGet, 1, 1, SECONDS);
        assertThat(time.runUntil(() -> ticks.get() == 7, Duration.ofMinutes(1))).isTrue();
        assertThat(time.nanoTime()).isEqualTo(Duration.ofSeconds(7).toNanos());
        assertThat(time.runUntil(() -> false, Duration.ofSeconds(3))).isFalse();
        Instant target = time.instant().plusSeconds(5);
        time.runUntil(target);
        assertThat(time.instant()).isEqualTo(target);
        assertThat(ticks).hasValue(15);
        assertThat(time.runUntilIdle(Duration.ofSeconds(1))).isFalse();
        assertThat(ticking.isDone()).isFalse();
    }

    @Test
    void refusesWhatWouldBlockOrTurnBack() {
        assertThatThrownBy(() -> time.advance(Duration.ofSeconds(-1))).hasMessageContaining("PT-1S");
        assertThatThrownBy(() -> scheduler.invokeAll(List.of())).isInstanceOf(UnsupportedOperationException.class);
        scheduler.execute(() -> time.advance(Duration.ofSeconds(1)));
        assertThatThrownBy(time::runDue).hasRootCauseMessage("time is already being moved; a task must not move it");
    }

    @Test
    void endsOneSchedulerWithoutTheOthers() {
        ScheduledExecutorService own = time.newScheduler();
        Future<?> periodic = own.scheduleAtFixedRate(() -> note("periodic"), 1, 1, SECONDS);
        Future<?> last = own.schedule(() -> note("last"), 2, SECONDS);
        Future<?> other = scheduler.schedule(() -> note("other"), 3, SECONDS);
        own.shutdown();
        assertThatThrownBy(() -> own.execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
        assertThat(own.isTerminated()).isFalse();
        time.advance(Duration.ofSeconds(5));
        assertThat(log).containsExactly("last@2000", "other@3000");
        assertThat(own.isTerminated()).isTrue();
        assertThat(List.of(periodic.isCancelled(), last.isDone(), other.isDone()))
                .containsOnly(true);
    }

    @Test
    void keepsAFarAwayTaskFarAway() {
        Future<?> never = scheduler.schedule(() -> note("never"), Long.MAX_VALUE, NANOSECONDS);
        time.advance(Duration.ofDays(36_500));
        assertThat(never.isDone()).isFalse();
    }

    @Test
    void givesTheSameRunForTheSameSeedThroughCancellations() {
        assertThat(randomRun(11)).isEqualTo(randomRun(11)).isNotEqualTo(randomRun(12));
    }

    private static List<Integer> randomRun(long seed) {
        VirtualTime time = VirtualTime.create();
        Random random = new Random(seed);
        List<Integer> order = new ArrayList<>();
        List<Future<?>> futures = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            int id = i;
            futures.add(time.scheduler().schedule(() -> order.add(id), random.nextInt(10_000), MILLISECONDS));
            if (random.nextInt(3) > 0) {
                futures.get(random.nextInt(futures.size())).cancel(false);
            }
        }
        long cancelled = futures.stream().filter(Future::isCancelled).count();
        assertThat(time.pending()).isEqualTo(20_000 - (int) cancelled);
        assertThat(time.runUntilIdle(Duration.ofSeconds(10))).isTrue();
        assertThat(order).hasSize(20_000 - (int) cancelled);
        return order;
    }
}
