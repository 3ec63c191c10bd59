package dev.tuna.core.budget;

import dev.tuna.api.Budget.Action;
import dev.tuna.api.Budget.Period;
import dev.tuna.api.BudgetUse;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What the control loop must heed for the sake of money. Immutable.
 *
 * @param action the strictest action of the limits that are hit; empty if none is
 * @param mostReplicas replicas that there may be at the most; those that there are more than that are given up only if the
 *     action says so
 * @param reason which limit is hit, for people; empty if none is
 */
public record Restraint(Optional<Action> action, int mostReplicas, String reason) {

    /** What a problem in the status is about. */
    public static final String TOPIC = "budget";

    /** No limit is near. */
    public static final Restraint NONE = new Restraint(Optional.empty(), Integer.MAX_VALUE, "");

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
            most = Math.min(most, already ? before.mostReplicas() : Math.max(1, rented.wanted()));
        } else if (action.isPresent() && action.get() != Action.WARN) {
            most = 0;
        }
        return new Restraint(action, most, worst.map(Restraint::reason).orElse(""));
    }

    /**
     * Replicas that a limit per hour has room for. What serverless costs at the moment takes no room: a replica takes over its
     * traffic, and costs less. Before a price is known one is tried.
     */
    private static int room(BudgetUse use, Rented rented) {
        if (use.period() != Period.HOUR || use.action() == Action.WARN) {
            return Integer.MAX_VALUE;
        }
        return rented.usdPerHour()
                .filter(price -> price.signum() > 0)
                .map(price -> use.limitUsd().divide(price, 0, RoundingMode.DOWN))
                .map(number -> number.min(BigDecimal.valueOf(Short.MAX_VALUE)).intValueExact())
                .orElse(rented.wanted() + (rented.unpriced() > 0 ? 0 : 1));
    }

    private static String reason(BudgetUse use) {
        String whose = use.overall() ? "the budget of all deployments together, " : "the budget of ";
        String spent = switch (use.period()) {
            case HOUR -> " an hour is exceeded by what runs";
            case DAY -> " a day is spent";
            case MONTH -> " a month is spent";
        };
        return whose + use.limitUsd().toPlainString() + " USD" + spent + "; until "
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

    /** Why new requests are refused; empty if they are not. */
    public Optional<String> refusal() {
        return action.filter(each -> each == Action.REFUSE).map(each -> reason);
    }

    /**
     * How many replicas there should be.
     *
     * @param target how many the traffic asks for
     * @return that many, or as many as there may be
     */
    public int within(int target) {
        return Math.min(target, mostReplicas);
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
