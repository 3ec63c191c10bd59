/**
 * Where the next replica should come from. Pure: no clock, no I/O, no log; times come in and values go out.
 *
 * <p>Start at {@link dev.tuna.core.placement.Placement}.
 */
@NullMarked
package dev.tuna.core.placement;

import org.jspecify.annotations.NullMarked;
