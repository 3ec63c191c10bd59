package dev.tuna.core.control;

import dev.tuna.api.Budget;
import dev.tuna.core.budget.Outlay;
import dev.tuna.core.catalog.Price;
import java.math.BigDecimal;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What a host tells the program on a router VM about money. Immutable.
 *
 * @param budget what all deployments of the installation together may cost; empty if nobody ever said
 * @param prices the user's own; empty if the host was given none, so that those that were told before hold
 * @param spent what the installation's deployments elsewhere have cost
 * @param rent what the router VM costs an hour, as its cloud shows it; empty if unknown, so that what was told before holds
 */
public record Allowance(
        Optional<Budget> budget, Optional<List<Price>> prices, List<Outlay> spent, Optional<BigDecimal> rent) {

    /** Copies the lists. */
    public Allowance {
        Objects.requireNonNull(rent, "rent");
        Objects.requireNonNull(budget, "budget");
        prices = prices.map(List::copyOf);
        spent = List.copyOf(spent);
    }
}
