/**
 * A stand-in for Baseten: its management API, the bucket that archives are put into, and its edge, with model servers behind.
 *
 * <p>Start at {@link dev.tuna.testkit.baseten.BasetenStandIn}.
 */
@NullMarked
package dev.tuna.testkit.baseten;

import org.jspecify.annotations.NullMarked;
