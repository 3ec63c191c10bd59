/**
 * What lies under {@code /router/}: health, readiness, metrics, and the backends of routes that nobody else manages.
 *
 * <p>Start at {@link dev.tuna.router.admin.AdminEndpoints} for the pages and at {@link dev.tuna.router.admin.UrlRoute} for
 * a router that runs without Tuna's control plane.
 */
@NullMarked
package dev.tuna.router.admin;

import org.jspecify.annotations.NullMarked;
