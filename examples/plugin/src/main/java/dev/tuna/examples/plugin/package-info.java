/**
 * A provider plugin as a stranger would write it: servers that already run somewhere, named {@code static}.
 *
 * <p>Start at {@link dev.tuna.examples.plugin.StaticProvider}; the file
 * {@code META-INF/services/dev.tuna.spi.ServerlessProvider} is what makes it found.
 */
@NullMarked
package dev.tuna.examples.plugin;

import org.jspecify.annotations.NullMarked;
