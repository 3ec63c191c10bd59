package dev.tuna.spot.aws;

import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** Lets work on one thing wait for other work on the same thing, and seldom on another. Thread-safe. */
final class Stripes {

    private static final int NUMBER = 64;

    private final ReentrantLock[] locks =
            IntStream.range(0, NUMBER).mapToObj(each -> new ReentrantLock()).toArray(ReentrantLock[]::new);

    <T> T alone(String what, Supplier<T> work) {
        ReentrantLock lock = locks[Math.floorMod(what.hashCode(), NUMBER)];
        lock.lock();
        try {
            return work.get();
        } finally {
            lock.unlock();
        }
    }
}
