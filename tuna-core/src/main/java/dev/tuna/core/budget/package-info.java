/**
 * What limits of money allow: from a budget and what has been spent to what the control loop must heed. Pure. Start at {@link
 * dev.tuna.core.budget.Budgets}.
 */
@NullMarked
package dev.tuna.core.budget;

import org.jspecify.annotations.NullMarked;
