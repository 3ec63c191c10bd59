/**
 * The spot state machine, as pure functions.
 *
 * <p>Start at {@link dev.tuna.router.state.SpotTransitions}.
 */
@NullMarked
package dev.tuna.router.state;

import org.jspecify.annotations.NullMarked;
