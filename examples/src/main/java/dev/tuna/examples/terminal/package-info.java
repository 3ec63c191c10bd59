/**
 * What the example programs show: text that is redrawn in place on a terminal and plain lines anywhere else. Start at
 * {@link dev.tuna.examples.terminal.Display}.
 */
@NullMarked
package dev.tuna.examples.terminal;

import org.jspecify.annotations.NullMarked;
