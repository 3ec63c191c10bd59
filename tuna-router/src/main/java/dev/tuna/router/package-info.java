/**
 * The data plane: one listener in front of many deployments, HTTP in, HTTP out.
 *
 * <p>It knows backends, keys and limits, and is handed them as immutable {@link dev.tuna.router.Route}s; it never sees a
 * provider, a cloud or a price.
 */
@NullMarked
package dev.tuna.router;

import org.jspecify.annotations.NullMarked;
