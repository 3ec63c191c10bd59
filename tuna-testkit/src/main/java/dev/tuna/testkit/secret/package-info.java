/**
 * Looks for secrets where none may be.
 *
 * <p>Start at {@link dev.tuna.testkit.secret.SecretSearch}.
 */
@NullMarked
package dev.tuna.testkit.secret;

import org.jspecify.annotations.NullMarked;
