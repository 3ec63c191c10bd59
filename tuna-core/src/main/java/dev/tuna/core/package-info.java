/**
 * The entry point of Tuna.
 *
 * <p>Start at {@link dev.tuna.core.Tuna}.
 */
@NullMarked
package dev.tuna.core;

import org.jspecify.annotations.NullMarked;
