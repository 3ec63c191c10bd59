package dev.tuna.core.machine;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.ControlPlane;
import dev.tuna.api.TimedOutException;
import dev.tuna.core.remote.RemoteControlPlane;
import dev.tuna.spi.FoundRouterVm;
import dev.tuna.spi.RouterCloud;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A router VM that was found in its cloud, whoever made it, and the connection to it. Thread-safe. */
public final class AttachedVm implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final long MILLIS_BETWEEN_LOOKS = 500;

    private final RouterCloud cloud;
    private final FoundRouterVm found;
    private final RemoteControlPlane plane;

    AttachedVm(RouterCloud cloud, FoundRouterVm found, RemoteControlPlane plane) {
        this.cloud = cloud;
        this.found = found;
        this.plane = plane;
    }

    /**
     * Its name.
     *
     * @return as it was made
     */
    public String name() {
        return found.name();
    }

    /**
     * Whose it is.
     *
     * @return owner id of the installation that made it
     */
    public String owner() {
        return found.ownerId();
    }

    /**
     * What is looked after there.
     *
     * @return closed with this object
     */
    public ControlPlane plane() {
        return plane;
    }

    /**
     * Whether the machine could go.
     *
     * @return true if nothing lives on it
     */
    public boolean isLeft() {
        return plane.deployments().isEmpty();
    }

    /**
     * Ends the machine and what was made for it, and waits until its cloud confirms.
     *
     * @throws IllegalStateException if something lives on it
     * @throws TimedOutException if the cloud does not confirm within minutes
     */
    public void remove() {
        if (!Vacancy.of(plane)) {
            throw new IllegalStateException("router VM '" + name() + "' looks after " + plane.deployments());
        }
        plane.close();
        cloud.terminate(found.resource());
        long until = System.nanoTime() + PATIENCE.toNanos();
        var pause = new CountDownLatch(1);
        try {
            while (cloud.observe(found.resource(), name()).phase() != BackendPhase.GONE) {
                if (System.nanoTime() > until) {
                    throw new TimedOutException("router VM '" + name() + "' is not confirmed to be gone after "
                            + PATIENCE.toMinutes() + " min; it ends itself when nothing is left on it");
                }
                var unused = pause.await(MILLIS_BETWEEN_LOOKS, TimeUnit.MILLISECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TimedOutException("interrupted while router VM '" + name() + "' was removed");
        }
        cloud.cleanUp(found);
    }

    /** Hangs up; what is there goes on. */
    @Override
    public void close() {
        plane.close();
    }
}
