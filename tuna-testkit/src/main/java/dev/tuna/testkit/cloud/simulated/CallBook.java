package dev.tuna.testkit.cloud.simulated;

import dev.tuna.testkit.cloud.model.CloudRefusal;
import dev.tuna.testkit.cloud.simulated.CloudCall.Operation;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/** Numbers calls, remembers the last ones, and makes those fail that shall. Thread-safe. */
final class CallBook {

    private static final int KEPT = 1000;

    private final InstantSource clock;
    private final Runnable hang;
    private final ReentrantLock lock = new ReentrantLock();
    /** Guarded by lock. */
    private final Deque<CloudCall> last = new ArrayDeque<>();
    /** Guarded by lock. */
    private final Map<Operation, Long> counts = new EnumMap<>(Operation.class);
    /** Guarded by lock. */
    private long number;

    private volatile FaultScript script = FaultScript.NONE;

    /**
     * An empty book.
     *
     * @param hang does not return for a long time
     */
    CallBook(InstantSource clock, Runnable hang) {
        this.clock = clock;
        this.hang = hang;
    }

    void script(FaultScript faults) {
        script = faults;
    }

    <T> T call(String provider, Operation operation, String target, Supplier<T> effect) {
        CloudCall call = note(provider, operation, target);
        Optional<CallFault> fault = script.faultOf(call);
        if (fault.isEmpty()) {
            return effect.get();
        }
        if (fault.get().takesEffect()) {
            carryOut(effect);
        }
        if (fault.get().hangs()) {
            hang.run();
        }
        throw fault.get().failure(call);
    }

    /** A refusal is an answer too, and as lost as any other. */
    private static <T> void carryOut(Supplier<T> effect) {
        try {
            var unused = effect.get();
        } catch (CloudRefusal e) {
            // Nothing took effect.
        }
    }

    private CloudCall note(String provider, Operation operation, String target) {
        lock.lock();
        try {
            long nth = counts.merge(operation, 1L, Long::sum);
            CloudCall call = new CloudCall(++number, nth, clock.instant(), provider, operation, target);
            last.add(call);
            if (last.size() > KEPT) {
                last.remove();
            }
            return call;
        } finally {
            lock.unlock();
        }
    }

    List<CloudCall> last() {
        lock.lock();
        try {
            return List.copyOf(last);
        } finally {
            lock.unlock();
        }
    }

    long count() {
        lock.lock();
        try {
            return number;
        } finally {
            lock.unlock();
        }
    }

    long count(Operation operation) {
        lock.lock();
        try {
            return counts.getOrDefault(operation, 0L);
        } finally {
            lock.unlock();
        }
    }
}
