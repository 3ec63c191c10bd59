/**
 * What several provider plugins need: JSON over HTTP with timeouts, retries, readable errors and redaction.
 *
 * <p>Start at {@link dev.tuna.provider.support.JsonApi}.
 */
@NullMarked
package dev.tuna.provider.support;

import org.jspecify.annotations.NullMarked;
