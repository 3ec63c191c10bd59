/**
 * What has to be done so that the fleet that is becomes the fleet that should be. Pure: no clock, no I/O, no log.
 *
 * <p>Start at {@link dev.tuna.core.reconcile.Reconciler}.
 */
@NullMarked
package dev.tuna.core.reconcile;

import org.jspecify.annotations.NullMarked;
