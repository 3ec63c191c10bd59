/**
 * Which backend a request goes to and how often it may be tried again, as pure functions.
 *
 * <p>Start at {@link dev.tuna.router.select.BackendSelector}.
 */
@NullMarked
package dev.tuna.router.select;

import org.jspecify.annotations.NullMarked;
