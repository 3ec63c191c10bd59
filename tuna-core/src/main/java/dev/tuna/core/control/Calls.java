package dev.tuna.core.control;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/** The calls that are under way for one deployment, so that its control can end between two of them. Thread-safe. */
final class Calls {

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition ended = lock.newCondition();
    private int underWay; // guarded by lock
    private boolean stopped; // guarded by lock

    Permit permit(BooleanSupplier wanted) {
        return new Permit() {
            @Override
            public boolean begin() {
                return Calls.this.begin(wanted);
            }

            @Override
            public void end() {
                Calls.this.end();
            }
        };
    }

    private boolean begin(BooleanSupplier wanted) {
        lock.lock();
        try {
            if (stopped || !wanted.getAsBoolean()) {
                return false;
            }
            underWay++;
            return true;
        } finally {
            lock.unlock();
        }
    }

    private void end() {
        lock.lock();
        try {
            underWay--;
            ended.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Lets no further call begin, and waits for those that have.
     *
     * @return whether all have ended in time
     */
    boolean stop(Duration limit) throws InterruptedException {
        lock.lock();
        try {
            stopped = true;
            long left = limit.toNanos();
            while (underWay > 0 && left > 0) {
                left = ended.awaitNanos(left);
            }
            return underWay == 0;
        } finally {
            lock.unlock();
        }
    }

    /** Lets calls begin again. */
    void goOn() {
        lock.lock();
        try {
            stopped = false;
        } finally {
            lock.unlock();
        }
    }
}
