package dev.tuna.api;

import java.math.BigDecimal;
import java.util.Objects;
import java.util.Optional;

/**
 * Limits of money, and what happens when one of them is hit. US dollars. Time whose price is unknown counts as nothing, as in
 * a bill's total; {@link BudgetUse#complete} tells, and a problem in the status. Immutable.
 *
 * @param usdPerHour what all that runs may cost per hour at the moment; above it the limit is hit. With any action but {@link
 *     Action#WARN} no replica is launched with which a deployment's replicas, and its part of the machine that it is
 *     looked after on, if one is rented for that, would cost more, as far as their price is known. With an action that ends
 *     replicas it stays hit until the UTC hour ends, though less runs then
 * @param usdPerDay what may be spent on one UTC day
 * @param usdPerMonth what may be spent in one UTC month
 * @param action what happens while a limit is hit; default {@link Action#WARN}
 */
public record Budget(
        Optional<BigDecimal> usdPerHour,
        Optional<BigDecimal> usdPerDay,
        Optional<BigDecimal> usdPerMonth,
        Action action) {

    /** No limit. */
    public static final Budget NONE = builder().build();

    /** Checks ranges. */
    public Budget {
        Objects.requireNonNull(action, "action");
        var problems = new Problems("budget");
        positive(problems, "usdPerHour", usdPerHour);
        positive(problems, "usdPerDay", usdPerDay);
        positive(problems, "usdPerMonth", usdPerMonth);
        problems.throwIfAny();
    }

    private static void positive(Problems problems, String name, Optional<BigDecimal> limit) {
        limit.ifPresent(usd -> problems.check(usd.signum() > 0, name, usd.toPlainString(), "a number above 0"));
    }

    /**
     * Whether there is any limit.
     *
     * @return true if none is set
     */
    public boolean isUnlimited() {
        return usdPerHour.isEmpty() && usdPerDay.isEmpty() && usdPerMonth.isEmpty();
    }

    /** What happens while a limit is hit, the mildest first. No action breaks off a request that is being answered. */
    public enum Action {
        /** An event and a problem in the status; nothing else. */
        WARN,
        /** No more replicas than there are, or one; one that is lost is replaced. */
        STOP_SCALING,
        /** Replicas finish what they have and end; serverless answers. */
        SERVERLESS_ONLY,
        /** New requests are refused with 429 {@code insufficient_quota}; replicas end as in {@link #SERVERLESS_ONLY}. */
        REFUSE
    }

    /** What a limit is about. */
    public enum Period {
        /** The cost of what runs at the moment, per hour. */
        HOUR,
        /** The UTC day. */
        DAY,
        /** The UTC month. */
        MONTH
    }

    /**
     * A builder with no limit.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Builds a {@link Budget}; setters are named like its components. Not thread-safe. */
    public static final class Builder {
        private Optional<BigDecimal> usdPerHour = Optional.empty();
        private Optional<BigDecimal> usdPerDay = Optional.empty();
        private Optional<BigDecimal> usdPerMonth = Optional.empty();
        private Action action = Action.WARN;

        private Builder() {}

        /**
         * Sets {@link Budget#usdPerHour()}.
         *
         * @param value above 0
         * @return this
         */
        public Builder usdPerHour(BigDecimal value) {
            this.usdPerHour = Optional.of(value);
            return this;
        }

        /**
         * Sets {@link Budget#usdPerDay()}.
         *
         * @param value above 0
         * @return this
         */
        public Builder usdPerDay(BigDecimal value) {
            this.usdPerDay = Optional.of(value);
            return this;
        }

        /**
         * Sets {@link Budget#usdPerMonth()}.
         *
         * @param value above 0
         * @return this
         */
        public Builder usdPerMonth(BigDecimal value) {
            this.usdPerMonth = Optional.of(value);
            return this;
        }

        /**
         * Sets {@link Budget#action()}.
         *
         * @param value what happens while a limit is hit
         * @return this
         */
        public Builder action(Action value) {
            this.action = value;
            return this;
        }

        /**
         * Checks and builds.
         *
         * @return the budget
         * @throws ConfigurationException naming every limit that is not above 0
         */
        public Budget build() {
            return new Budget(usdPerHour, usdPerDay, usdPerMonth, action);
        }
    }
}
