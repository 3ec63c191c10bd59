package dev.tuna.core.control;

import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.Tier;
import dev.tuna.core.autoscale.LastReplica;
import dev.tuna.core.autoscale.ScalingDecision;
import dev.tuna.core.ledger.ContainerMeter;
import dev.tuna.core.ledger.ContainerRules;
import dev.tuna.core.placement.OnDemandFallback;
import dev.tuna.core.placement.Spare;
import dev.tuna.spi.CapacityPool;
import java.time.Duration;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/** How many replicas there are to be when not only the traffic but also the prices have been asked. Pure. */
final class FleetAim {

    /** How long a cold endpoint takes, as far as it depends on it whether a replica has to be there. */
    private static final Duration USUAL_COLD_START = Duration.ofMinutes(1);

    private FleetAim() {}

    static int target(Turn turn, ScalingDecision decision) {
        ScalingPolicy.Spot policy = turn.state().scaling().spot();
        OptionalDouble costRatio = costRatio(turn.state());
        LastReplica last = turn.state().fleet().last().step(sight(turn, decision, costRatio), turn.steady());
        if (!last.equals(turn.state().fleet().last())) {
            turn.fleet(fleet -> fleet.last = last);
        }
        int asked = asked(policy, decision.target(), last, costRatio.isPresent());
        // More of what breaks as soon as it is up mends nothing.
        boolean breaks = turn.state().fleet().bootFailures() >= Brain.CRASH_LOOP;
        int spare = asked == 0 || breaks
                ? 0
                : Spare.replicas(
                        places(turn.state()),
                        turn.state().fleet().history(),
                        costRatio,
                        last.containers() / asked,
                        Runner.USUAL_BOOT,
                        turn.steady());
        return Math.min(policy.maxReplicas(), Math.max(policy.minReplicas(), asked + spare));
    }

    private static int asked(ScalingPolicy.Spot policy, int byTraffic, LastReplica last, boolean pricesKnown) {
        if (byTraffic > 1) {
            return byTraffic;
        }
        boolean whateverItCosts = !pricesKnown || policy.keepLast() == ScalingPolicy.Spot.KeepLast.WITH_TRAFFIC;
        if (whateverItCosts) {
            return last.keepsFirstTokens() ? 1 : byTraffic;
        }
        return last.wanted(byTraffic) ? 1 : 0;
    }

    private static LastReplica.Sight sight(Turn turn, ScalingDecision decision, OptionalDouble costRatio) {
        Managed state = turn.state();
        ScalingPolicy.Spot policy = state.scaling().spot();
        ContainerRules rules = state.containerRules().unlimited();
        ContainerMeter meter = state.accounts()
                .same()
                .serverless()
                .step(rules, turn.steady(), state.accounts().inFlight());
        boolean young = state.replicas(replica -> replica.isWanted()
                        && replica.readyAt()
                                .map(ready ->
                                        ready.plus(policy.downscaleDelay()).isAfter(turn.steady()))
                                .orElse(true))
                > 0;
        boolean needed = decision.target() > 1 || costRatio.isEmpty();
        return new LastReplica.Sight(
                policy.downscaleDelay(),
                costRatio,
                meter.time(),
                meter.running(rules, turn.steady()) > 0,
                turn.load().traffic().requests(),
                USUAL_COLD_START,
                policy.firstTokenLimit(),
                needed || (young && state.fleet().last().pays()));
    }

    /** Without an endpoint there is nothing to compare with. */
    private static OptionalDouble costRatio(Managed state) {
        OptionalLong container = state.accounts().serverlessPrice();
        OptionalLong replica = replicaPrice(state);
        boolean comparable = container.isPresent()
                && replica.isPresent()
                && replica.getAsLong() > 0
                && state.endpoints().anyMatch(Backend::isWanted);
        return comparable
                ? OptionalDouble.of((double) container.getAsLong() / replica.getAsLong())
                : OptionalDouble.empty();
    }

    private static OptionalLong replicaPrice(Managed state) {
        OptionalDouble running = state.replicas()
                .filter(replica -> replica.tier() == Tier.SPOT && replica.isWanted())
                .flatMap(replica -> FleetSide.price(replica).stream().boxed())
                .mapToLong(Long::longValue)
                .average();
        return running.isPresent()
                ? OptionalLong.of(Math.round(running.getAsDouble()))
                : state.fleet().spotPrice();
    }

    /** Whether machines at list price may be rented now that spot has run dry. */
    static boolean allowsOnDemand(Turn turn, int target) {
        Managed state = turn.state();
        if (state.scaling().spot().onDemand() == ScalingPolicy.Spot.OnDemand.NEVER) {
            return false;
        }
        boolean noEndpoint = state.choice().settled() && state.endpoints().noneMatch(Backend::isWanted);
        return noEndpoint
                || OnDemandFallback.pays(
                        state.accounts().serverlessPrice(),
                        state.accounts().onDemandPrice(),
                        state.fleet().last().containers() / Math.max(1, target),
                        state.fleet()
                                .drySince()
                                .map(since -> Duration.between(since, turn.steady()))
                                .orElse(Duration.ZERO),
                        Runner.USUAL_BOOT);
    }

    static List<CapacityPool> places(Managed state) {
        return state.replicas()
                .filter(replica -> !replica.isGone())
                .flatMap(replica -> replica.pool().stream())
                .toList();
    }
}
