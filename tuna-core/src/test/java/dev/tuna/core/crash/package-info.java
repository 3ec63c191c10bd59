/**
 * The crash matrix: a controller in a process of its own is killed at any instant, and another one takes over. Start at
 * {@link dev.tuna.core.crash.CrashMatrixIT}.
 */
@NullMarked
package dev.tuna.core.crash;

import org.jspecify.annotations.NullMarked;
