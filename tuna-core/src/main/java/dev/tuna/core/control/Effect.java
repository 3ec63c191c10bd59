package dev.tuna.core.control;

import dev.tuna.core.placement.PoolHistory;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.LaunchPlan;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessPlan;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What the control loop wants done for one deployment. */
sealed interface Effect {

    /**
     * Whether it makes or removes something outside, so that what was decided has to be on disk first.
     *
     * @return true if it must wait for the store
     */
    default boolean isOutside() {
        return false;
    }

    /**
     * The call that it makes.
     *
     * @return the generation that its answer carries; 0 if it is not answered
     */
    default long generation() {
        return 0;
    }

    /** Look for serverless providers that can take the deployment, but not among those excluded. */
    record Choose(long generation, Set<String> excluded) implements Effect {}

    /** Check the cloud of the fleet. */
    record CheckSpot(long generation, String cloud) implements Effect {}

    /** Find pools and plan launches in them, none of which can come to cost more than there is money for. */
    record Prepare(
            long generation,
            String cloud,
            List<String> tokens,
            List<CapacityPool> fleet,
            PoolHistory history,
            boolean onDemandAllowed,
            Purpose purpose,
            Optional<BigDecimal> usdLeft,
            Instant now)
            implements Effect {}

    /** Begin a serverless endpoint. */
    record Begin(String backend, long generation, String provider, ServerlessPlan plan) implements Effect {
        @Override
        public boolean isOutside() {
            return true;
        }
    }

    /** Launch a replica. */
    record Launch(String backend, long generation, String provider, LaunchPlan plan) implements Effect {
        @Override
        public boolean isOutside() {
            return true;
        }
    }

    /** Remove a serverless endpoint or a replica. */
    record End(String backend, long generation, String provider, boolean serverless, ResourceRef ref)
            implements Effect {
        @Override
        public boolean isOutside() {
            return true;
        }
    }

    /** Send a readiness request. */
    record Probe(String backend, long generation, BackendAddress address, String model, Duration limit)
            implements Effect {}

    /** Look at a serverless endpoint. */
    record LookAtEndpoint(String backend, long generation, String provider, ResourceRef ref) implements Effect {}

    /** Look at the replicas, by backend. */
    record LookAtFleet(long generation, String provider, Map<String, ResourceRef> refs) implements Effect {}

    /** Remove what a cloud has beside the replicas. */
    record CleanUp(long generation, String provider) implements Effect {
        @Override
        public boolean isOutside() {
            return true;
        }
    }

    /** Make sure that no plugin has a helper left, and remove the last traces inside the installation. */
    record Conclude(long generation) implements Effect {
        @Override
        public boolean isOutside() {
            return true;
        }
    }

    /** Take the endpoint away and tell whoever waits: it is over. */
    record Finish() implements Effect {
        @Override
        public boolean isOutside() {
            return true;
        }
    }
}
