/**
 * Main programs: {@link dev.tuna.examples.QuickStart} tells the whole story, {@link dev.tuna.examples.TunaCommand} is the
 * {@code tuna} command, {@link dev.tuna.examples.RouterMain} the router alone. Start at {@link dev.tuna.examples.Embed},
 * the ten lines that an application needs.
 */
@NullMarked
package dev.tuna.examples;

import org.jspecify.annotations.NullMarked;
