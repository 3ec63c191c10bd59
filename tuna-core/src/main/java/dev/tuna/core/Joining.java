package dev.tuna.core;

import dev.tuna.api.ControlPlane;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Takes control of a state directory, or finds who has it. The lock decides; between two looks the holder may just be
 * starting (it has no control endpoint yet) or ending (it has none any more), so there are some.
 */
record Joining(Path stateDirectory, Supplier<Tuna> start) {

    private static final int LOOKS = 100;
    private static final long MILLIS_BETWEEN_LOOKS = 100;

    ControlPlane startOrJoin() {
        for (int look = 1; true; look++) {
            try {
                return start.get();
            } catch (StoreException e) {
                if (e.code() != ErrorCode.STORE_LOCKED) {
                    throw e;
                }
                Optional<ControlPlane> other = Tuna.running(stateDirectory);
                if (other.isPresent()) {
                    return other.get();
                }
                if (look == LOOKS || interruptedWhileWaiting()) {
                    throw e;
                }
            }
        }
    }

    private static boolean interruptedWhileWaiting() {
        try {
            return new CountDownLatch(1).await(MILLIS_BETWEEN_LOOKS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }
}
