package dev.tuna.core.budget;

import dev.tuna.api.Budget.Action;
import dev.tuna.api.Budget.Period;
import dev.tuna.api.BudgetUse;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What the control loop must heed for the sake of money. Immutable.
 *
 * @param action the strictest action of the limits that are hit; empty if none is
 * @param mostReplicas launching stops at so many replicas; those that there are more than that are given up only if the
 *     action says so
 * @param usdPerHour what replicas alone may cost per hour when one more is launched; empty if anything
 * @param reason which limit is hit, for people; empty if none is
 * @param gap that a limit is held against a part of what was spent only, for people; empty if against all
 */
public record Restraint(
        Optional<Action> action, int mostReplicas, Optional<BigDecimal> usdPerHour, String reason, String gap) {

    /** What a problem in the status is about. */
    public static final String TOPIC = "budget";

    /** What a problem is about that has to do with what limits are held against. */
    public static final String GAP_TOPIC = "budget prices";

    /** What a problem is about that no replica is cheap enough for a limit per hour. */
    public static final String RATE_TOPIC = "budget rate";

    /** No limit is near. */
    public static final Restraint NONE = new Restraint(Optional.empty(), Integer.MAX_VALUE, Optional.empty(), "", "");

    /**
     * What follows from how things stand.
     *
     * @param uses every limit on the deployment and on all together
     * @param rented the deployment's replicas
     * @param before what held until now
     * @return what holds from now on
     */
    public static Restraint of(List<BudgetUse> uses, Rented rented, Restraint before) {
        Optional<BudgetUse> worst = uses.stream()
                .filter(use -> use.hitUntil().isPresent())
                .max(Comparator.comparing(BudgetUse::action)
                        .thenComparing(use -> use.hitUntil().orElse(Instant.MIN)));
        Optional<Action> action = worst.map(BudgetUse::action);
        int most = uses.stream().mapToInt(use -> room(use, rented)).min().orElse(Integer.MAX_VALUE);
        if (action.equals(Optional.of(Action.STOP_SCALING))) {
            boolean already = before.action().equals(action);
            most = Math.min(most, Math.max(1, already ? before.mostReplicas() : rented.wanted()));
        } else if (action.isPresent() && action.get() != Action.WARN) {
            most = 0;
        }
        Optional<BigDecimal> hourly = uses.stream()
                .filter(Restraint::holdsBack)
                .map(use -> rented.left(use.limitUsd()))
                .min(BigDecimal::compareTo);
        return new Restraint(action, most, hourly, worst.map(Restraint::reason).orElse(""), gap(uses));
    }

    /**
     * Replicas that a limit per hour has room for. What serverless costs at the moment takes no room: a replica takes over its
     * traffic, and costs less. Before a price is known one is tried.
     */
    private static int room(BudgetUse use, Rented rented) {
        if (!holdsBack(use)) {
            return Integer.MAX_VALUE;
        }
        return rented.usdPerHour()
                .filter(price -> price.signum() > 0)
                .map(price -> affordable(rented.left(use.limitUsd()), price))
                .orElse(rented.wanted() + (rented.unpriced() > 0 ? 0 : 1));
    }

    private static boolean holdsBack(BudgetUse use) {
        return use.period() == Period.HOUR && use.action() != Action.WARN;
    }

    private static int affordable(BigDecimal limit, BigDecimal price) {
        return limit.divide(price, 0, RoundingMode.DOWN)
                .min(BigDecimal.valueOf(Short.MAX_VALUE))
                .intValueExact();
    }

    private static String gap(List<BudgetUse> uses) {
        return uses.stream()
                .filter(use -> !use.complete())
                .findFirst()
                .map(
                        use -> whose(use) + use.limitUsd().toPlainString() + " USD a "
                                + use.period().name().toLowerCase(Locale.ROOT)
                                + " is held against a part of the cost only: something has no known price and counts as nothing; give it one")
                .orElse("");
    }

    private static String whose(BudgetUse use) {
        return use.overall() ? "the budget of all deployments together, " : "the budget of ";
    }

    private static String reason(BudgetUse use) {
        String spent = switch (use.period()) {
            case HOUR -> " an hour is exceeded by what runs";
            case DAY -> " a day is spent";
            case MONTH -> " a month is spent";
        };
        return whose(use) + use.limitUsd().toPlainString() + " USD" + spent + "; until "
                + use.hitUntil().orElseThrow() + " " + consequence(use.action());
    }

    private static String consequence(Action action) {
        return switch (action) {
            case WARN -> "this is only said";
            case STOP_SCALING -> "no more replicas are launched";
            case SERVERLESS_ONLY -> "only serverless answers";
            case REFUSE -> "new requests are refused";
        };
    }

    /** Whether replicas are to be given up. */
    public boolean endsReplicas() {
        return action.filter(each -> each.compareTo(Action.SERVERLESS_ONLY) >= 0)
                .isPresent();
    }

    /**
     * Whether nothing but what replicas cost per hour stands in the way of another one.
     *
     * @return false also if there is no limit per hour
     */
    public boolean holdsRateOnly() {
        return usdPerHour.isPresent()
                && action.filter(each -> each != Action.WARN).isEmpty();
    }

    /** Why new requests are refused; empty if they are not. */
    public Optional<String> refusal() {
        return action.filter(each -> each == Action.REFUSE).map(each -> reason);
    }

    /**
     * How many replicas there should be. That there are more than may be launched ends none of them.
     *
     * @param target how many the traffic asks for
     * @param there how many there are
     * @param price what one was last known to cost
     * @return that many, or as many as there are or may be launched
     */
    public int within(int target, int there, Optional<BigDecimal> price) {
        return endsReplicas() ? 0 : Math.min(target, Math.max(there, launchable(price)));
    }

    /**
     * At how many replicas launching stops.
     *
     * @param price what one was last known to cost
     * @return so many
     */
    public int launchable(Optional<BigDecimal> price) {
        return usdPerHour
                .flatMap(limit -> price.filter(usd -> usd.signum() > 0).map(usd -> affordable(limit, usd)))
                .map(room -> Math.min(room, mostReplicas))
                .orElse(mostReplicas);
    }

    /**
     * How many replicas there may be, those that are being given up included.
     *
     * @param most by the policy
     * @return that many, or none
     */
    public int limit(int most) {
        return endsReplicas() ? 0 : most;
    }
}
