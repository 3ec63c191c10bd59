/**
 * What machine time costs, to the microdollar: meters that turn observations into ledger entries, the bill, and what the
 * same traffic would have cost elsewhere. Pure: no clock, no store, no log; times come in and values go out.
 *
 * <p>Start at {@link dev.tuna.core.ledger.Money} for the rounding rule, then {@link dev.tuna.core.ledger.ReplicaMeter},
 * {@link dev.tuna.core.ledger.EndpointMeter} and {@link dev.tuna.core.ledger.Bill}.
 */
@NullMarked
package dev.tuna.core.ledger;

import org.jspecify.annotations.NullMarked;
