package dev.tuna.core.ledger;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a deployment's traffic would have needed on one tier alone, kept up to date step by step. Estimates.
 *
 * <p>All serverless: containers as {@link ContainerMeter} reckons them, without an upper limit. All on demand: the
 * replicas that the traffic wants, and at least one from start to end, since nothing else could answer.
 *
 * @param serverless container time of the traffic
 * @param replicasWanted replicas that the last step asked for
 * @param replicaTime machine time of the replicas up to the last step
 */
public record SameTraffic(ContainerMeter serverless, int replicasWanted, Duration replicaTime) {

    /** Checks that every part is there. */
    public SameTraffic {
        Objects.requireNonNull(serverless, "serverless");
        Objects.requireNonNull(replicaTime, "replicaTime");
    }

    /**
     * Begins without traffic.
     *
     * @param rules how serverless containers come and go
     * @param now when the deployment was asked for
     * @return the estimate, zero so far
     */
    public static SameTraffic start(ContainerRules rules, Instant now) {
        return new SameTraffic(ContainerMeter.start(rules, now), 1, Duration.ZERO);
    }

    /**
     * Goes on to a moment and takes note of the traffic from then on.
     *
     * @param rules how serverless containers come and go
     * @param now the moment; one before the last step counts as the last step
     * @param inFlight requests in flight from then on, on all backends together
     * @param wanted replicas that the traffic asks for from then on, whatever the policy's limits
     * @return the estimate at that moment
     */
    public SameTraffic step(ContainerRules rules, Instant now, int inFlight, int wanted) {
        ContainerMeter stepped = serverless.step(rules.unlimited(), now, inFlight);
        Duration passed = Duration.between(serverless.at(), stepped.at());
        return new SameTraffic(
                stepped, Math.max(1, wanted), replicaTime.plus(passed.multipliedBy(Math.max(1, replicasWanted))));
    }

    /**
     * The cost on serverless alone.
     *
     * @param microUsdPerHour price of one container; empty if unknown
     * @return US dollars; empty if the price is unknown
     */
    public Optional<BigDecimal> allServerless(OptionalLong microUsdPerHour) {
        return Money.usd(Money.cost(serverless.time(), microUsdPerHour));
    }

    /**
     * The cost on on-demand replicas alone.
     *
     * @param microUsdPerHour on-demand price of one machine; empty if unknown
     * @return US dollars; empty if the price is unknown
     */
    public Optional<BigDecimal> allOnDemand(OptionalLong microUsdPerHour) {
        return Money.usd(Money.cost(replicaTime, microUsdPerHour));
    }
}
