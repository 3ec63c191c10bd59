/**
 * Time that moves only when a test says so. Start at {@link dev.tuna.testkit.time.VirtualTime}.
 */
@NullMarked
package dev.tuna.testkit.time;

import org.jspecify.annotations.NullMarked;
