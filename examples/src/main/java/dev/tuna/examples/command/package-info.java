/**
 * The {@code tuna} command: one class for each subcommand, each a thin layer over the public API. Start at
 * {@link dev.tuna.examples.command.TunaCli}.
 */
@NullMarked
package dev.tuna.examples.command;

import org.jspecify.annotations.NullMarked;
