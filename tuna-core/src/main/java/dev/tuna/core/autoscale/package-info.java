/**
 * How many replicas the traffic asks for. Pure: no clock, no I/O, no log; times come in and values go out.
 *
 * <p>Start at {@link dev.tuna.core.autoscale.Autoscaler}.
 */
@NullMarked
package dev.tuna.core.autoscale;

import org.jspecify.annotations.NullMarked;
