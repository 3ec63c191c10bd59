/**
 * What a plugin implements and what it is given.
 *
 * <p>Start at {@link dev.tuna.spi.ServerlessProvider} or {@link dev.tuna.spi.SpotProvider}; the testkit's contract tests
 * say whether an implementation will do.
 */
@NullMarked
package dev.tuna.spi;

import org.jspecify.annotations.NullMarked;
