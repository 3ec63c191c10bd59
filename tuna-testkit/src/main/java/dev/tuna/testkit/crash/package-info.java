/**
 * What tests need that kill a controller at a chosen instant: at a call to a cloud, at a write to a store.
 *
 * <p>Start at {@link dev.tuna.testkit.crash.SubjectProcess}, {@link dev.tuna.testkit.crash.CallCounter} and
 * {@link dev.tuna.testkit.crash.Death}.
 */
@NullMarked
package dev.tuna.testkit.crash;

import org.jspecify.annotations.NullMarked;
