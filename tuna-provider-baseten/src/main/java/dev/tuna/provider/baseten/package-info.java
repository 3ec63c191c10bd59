/**
 * Serverless endpoints on Baseten, through its management API: a model is pushed, deployed and called over plain HTTP.
 *
 * <p>Start at {@link dev.tuna.provider.baseten.BasetenProvider}; {@code docs/providers/baseten.md} is for users.
 */
@NullMarked
package dev.tuna.provider.baseten;

import org.jspecify.annotations.NullMarked;
