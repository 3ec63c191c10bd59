/**
 * When a failing backend is left alone and how it comes back, as pure functions.
 *
 * <p>Start at {@link dev.tuna.router.breaker.BreakerState}.
 */
@NullMarked
package dev.tuna.router.breaker;

import org.jspecify.annotations.NullMarked;
