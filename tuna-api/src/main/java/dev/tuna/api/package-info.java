/**
 * What a user of Tuna says and gets back: requests, deployments, reports, errors.
 *
 * <p>Start at {@link dev.tuna.api.DeployRequest}; the entry point itself is {@code dev.tuna.core.Tuna}.
 */
@NullMarked
package dev.tuna.api;

import org.jspecify.annotations.NullMarked;
