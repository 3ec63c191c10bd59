/**
 * The control plane: one loop that owns what is known about every deployment, decides what to do about it, and leaves the
 * doing (providers, store, probes) to executors whose answers come back as messages.
 *
 * <p>Start at {@link dev.tuna.core.control.Controller}, then {@link dev.tuna.core.control.Brain}.
 */
@NullMarked
package dev.tuna.core.control;

import org.jspecify.annotations.NullMarked;
