package dev.tuna.core.ledger;

import dev.tuna.api.ScalingPolicy;
import java.time.Duration;
import java.util.Objects;

/**
 * How many serverless containers a load needs, and how long they stay: the model behind every estimate.
 *
 * @param concurrency requests that one container serves at once, 1 or more
 * @param scaledownWindow how long a container stays, and is billed, after it was last needed
 * @param workersMin containers that are always on, 0 or more
 * @param workersMax containers never exceeded
 * @param coldStart billed boot time of a container during which no request is in flight; zero where the requests
 *     that wait for the boot are counted as in flight
 */
public record ContainerRules(
        int concurrency, Duration scaledownWindow, int workersMin, int workersMax, Duration coldStart) {

    /** Checks that every part is there and concurrency is 1 or more. */
    public ContainerRules {
        Objects.requireNonNull(scaledownWindow, "scaledownWindow");
        Objects.requireNonNull(coldStart, "coldStart");
        if (concurrency < 1) {
            throw new IllegalArgumentException("concurrency is " + concurrency + " but must be 1 or more");
        }
    }

    /**
     * The rules of an endpoint with its limits.
     *
     * @param policy the endpoint's policy
     * @param coldStart billed boot time without a request in flight
     * @return the rules
     */
    public static ContainerRules of(ScalingPolicy.Serverless policy, Duration coldStart) {
        return new ContainerRules(
                policy.concurrency(), policy.scaledownWindow(), policy.workersMin(), policy.workersMax(), coldStart);
    }

    /**
     * The same rules with as many containers as the load asks for: what serverless alone would have needed.
     *
     * @return a copy
     */
    public ContainerRules unlimited() {
        return new ContainerRules(concurrency, scaledownWindow, workersMin, Integer.MAX_VALUE, coldStart);
    }

    /**
     * The same rules where it is the cloud that decides how long containers stay.
     *
     * @param window how long a container stays, and is billed, after it was last needed
     * @return a copy
     */
    public ContainerRules withWindow(Duration window) {
        return new ContainerRules(concurrency, window, workersMin, workersMax, coldStart);
    }

    int needed(int inFlight) {
        return inFlight <= 0 ? 0 : Math.min(workersMax, (inFlight - 1) / concurrency + 1);
    }
}
