package dev.tuna.testkit.time;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A clock, a ticker and schedulers that stand still until told to move.
 *
 * <p>Tasks run in the thread that moves time, one after the other, in the order of their due time and, for equal times,
 * in the order they were scheduled in; the same calls give the same run every time. Tasks may be scheduled from any
 * thread; only one thread at a time may move time, and a task must not move it.
 *
 * <p>Wall time and elapsed time are two things, as on a real machine: {@link #advance} moves both, {@link #jump} moves
 * the wall clock alone. Timers follow elapsed time.
 */
public final class VirtualTime implements InstantSource {

    /** Where a clock made by {@link #create()} starts: 2026-01-01T00:00:00Z, an arbitrary round date. */
    public static final Instant DEFAULT_START = Instant.parse("2026-01-01T00:00:00Z");

    private static final int COMPACTION_FLOOR = 256;

    private final ReentrantLock lock = new ReentrantLock();
    /** Guarded by lock. */
    private final PriorityQueue<VirtualTask<?>> queue = new PriorityQueue<>();
    /** Guarded by lock. Tasks in the queue that were cancelled and wait to be thrown out. */
    private int cancelled;
    /** Guarded by lock. */
    private long sequence;

    private final Instant start;
    private volatile long elapsedNanos;
    private volatile Instant origin;
    private volatile boolean moving;
    private final ScheduledExecutorService scheduler = new VirtualScheduler(this);
    private volatile @Nullable Stage stage;

    private VirtualTime(Instant start) {
        this.start = start;
        origin = start;
    }

    /**
     * Time that starts at {@link #DEFAULT_START}.
     *
     * @return a new, independent time
     */
    public static VirtualTime create() {
        return startingAt(DEFAULT_START);
    }

    /**
     * Time that starts at a given instant.
     *
     * @param start what {@link #instant()} gives first
     * @return a new, independent time
     */
    public static VirtualTime startingAt(Instant start) {
        return new VirtualTime(Objects.requireNonNull(start, "start"));
    }

    @Override
    public Instant instant() {
        return origin.plusNanos(elapsedNanos);
    }

    /**
     * Elapsed time, the virtual counterpart of {@link System#nanoTime()}; not moved by {@link #jump}.
     *
     * @return nanoseconds since this object was made
     */
    public long nanoTime() {
        return elapsedNanos;
    }

    /**
     * {@link #nanoTime()} as a function, to be handed to what wants a ticker.
     *
     * @return a live view, not a snapshot
     */
    public LongSupplier ticker() {
        return this::nanoTime;
    }

    /**
     * The clock of somebody else, for instance a cloud, which {@link #jump} does not move.
     *
     * @return a live view: where this time started, and what has elapsed since
     */
    public InstantSource steady() {
        return () -> start.plusNanos(elapsedNanos);
    }

    /**
     * The scheduler that comes with this time; always the same one.
     *
     * <p>{@code invokeAll} and {@code invokeAny} are refused with {@link UnsupportedOperationException}: they would
     * block the thread that has to move time.
     *
     * @return a scheduler whose tasks run when time is moved
     */
    public ScheduledExecutorService scheduler() {
        return scheduler;
    }

    /**
     * A further scheduler on the same time, for an owner that shuts its scheduler down.
     *
     * @return a new scheduler, independent of {@link #scheduler()} in its life
     */
    public ScheduledExecutorService newScheduler() {
        return new VirtualScheduler(this);
    }

    /**
     * Moves time on, running everything that falls due on the way at exactly its due time. What a task schedules within
     * the span runs too.
     *
     * @param span how far; zero runs what is due now
     * @throws IllegalArgumentException if the span is negative
     * @throws IllegalStateException if called from a task
     */
    public void advance(Duration span) {
        if (span.isNegative()) {
            throw new IllegalArgumentException(
                    "time only moves on: span " + span + " is negative; use jump for clocks");
        }
        move(elapsedNanos + span.toNanos(), () -> false);
    }

    /** Runs what is due now, including what these tasks submit, without moving time. */
    public void runDue() {
        advance(Duration.ZERO);
    }

    /**
     * Moves time on until the wall clock shows an instant.
     *
     * @param instant when to stop; an instant that has passed runs what is due now
     */
    public void runUntil(Instant instant) {
        Duration span = Duration.between(instant(), instant);
        advance(span.isNegative() ? Duration.ZERO : span);
    }

    /**
     * Moves time from task to task until a condition holds, which is checked before the first and after every task.
     *
     * @param condition what to wait for
     * @param atMost how far time may move
     * @return whether the condition came true; if not, exactly {@code atMost} has passed
     */
    public boolean runUntil(BooleanSupplier condition, Duration atMost) {
        return move(elapsedNanos + atMost.toNanos(), condition);
    }

    /**
     * Moves time from task to task until nothing is scheduled any more.
     *
     * @param atMost how far time may move; the bound that ends it when periodic tasks never do
     * @return whether nothing is left; if not, exactly {@code atMost} has passed
     */
    public boolean runUntilIdle(Duration atMost) {
        return move(elapsedNanos + atMost.toNanos(), () -> pending() == 0);
    }

    /**
     * Changes what the wall clock shows without any time passing, as a clock correction does.
     *
     * @param by forward, or back if negative
     */
    public void jump(Duration by) {
        origin = origin.plus(by);
    }

    /**
     * How many tasks are scheduled and not cancelled; a periodic task counts once.
     *
     * @return zero if nothing would ever run
     */
    public int pending() {
        lock.lock();
        try {
            return queue.size() - cancelled;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Allows tasks to {@link #hang}. From now on tasks do not run in the thread that moves time but in others, which take
     * turns with it: still one after the other and in the same order every time.
     *
     * @return this
     */
    public VirtualTime letTasksHang() {
        stage = new Stage();
        return this;
    }

    /**
     * Called by a task: it hangs, as a call does that is never answered, while time and all other tasks go on. It comes back
     * at the moment at which its thread is interrupted, or when {@link #endHanging} is called.
     *
     * @throws IllegalStateException if called by anybody else, or if {@link #letTasksHang} was not
     */
    public void hang() {
        Stage actors = stage;
        if (actors == null) {
            throw new IllegalStateException("tasks must be allowed to hang, see letTasksHang");
        }
        actors.hang();
    }

    /** Lets every task that hangs come back, as when the process ends that it belongs to; they have ended when this returns. */
    public void endHanging() {
        Stage actors = stage;
        if (actors != null) {
            actors.end();
        }
    }

    private boolean move(long target, BooleanSupplier done) {
        if (moving) {
            throw new IllegalStateException("time is already being moved; a task must not move it");
        }
        moving = true;
        try {
            Stage actors = stage;
            return actors == null ? loop(target, done, null) : actors.run(() -> loop(target, done, actors));
        } finally {
            moving = false;
        }
    }

    /**
     * Moves time.
     *
     * @param actors whose threads do so in turns, if tasks may hang
     */
    private boolean loop(long target, BooleanSupplier done, @Nullable Stage actors) {
        while (!done.getAsBoolean()) {
            VirtualTask<?> task = takeDue(target);
            if (task == null) {
                elapsedNanos = target;
                return done.getAsBoolean();
            }
            elapsedNanos = Math.max(elapsedNanos, task.due());
            task.run();
            if (actors != null) {
                if (actors.isOver()) {
                    return false;
                }
                actors.resumeInterrupted();
            }
        }
        return true;
    }

    private @Nullable VirtualTask<?> takeDue(long target) {
        lock.lock();
        try {
            for (VirtualTask<?> head = queue.peek(); head != null && head.due() <= target; head = queue.peek()) {
                queue.remove();
                head.queued(false);
                if (!head.isCancelled()) {
                    return head;
                }
                if (head.forgotten()) {
                    cancelled--;
                }
            }
            return null;
        } finally {
            lock.unlock();
        }
    }

    void enqueue(VirtualTask<?> task) {
        lock.lock();
        try {
            task.order(sequence++);
            task.queued(true);
            queue.add(task);
        } finally {
            lock.unlock();
        }
    }

    /** Cancelled tasks stay in the heap until they outnumber the live ones, so that cancelling costs next to nothing. */
    void forget(VirtualTask<?> task) {
        lock.lock();
        try {
            if (!task.queued()) {
                return;
            }
            task.forgotten(true);
            cancelled++;
            if (cancelled > COMPACTION_FLOOR && cancelled > queue.size() / 2) {
                queue.removeIf(VirtualTime::dropped);
                cancelled = 0;
            }
        } finally {
            lock.unlock();
        }
    }

    private static boolean dropped(VirtualTask<?> task) {
        boolean drop = task.isCancelled();
        task.queued(!drop);
        return drop;
    }

    List<VirtualTask<?>> queuedBy(VirtualScheduler owner) {
        lock.lock();
        try {
            List<VirtualTask<?>> tasks = new ArrayList<>();
            for (VirtualTask<?> task : queue) {
                if (task.owner() == owner && !task.isCancelled()) {
                    tasks.add(task);
                }
            }
            tasks.sort(null);
            return tasks;
        } finally {
            lock.unlock();
        }
    }
}
