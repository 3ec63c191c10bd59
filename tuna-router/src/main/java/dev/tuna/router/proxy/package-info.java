/**
 * The data plane's moving parts: listener, one exchange per request, pooled connections to backends.
 *
 * <p>Start at {@link dev.tuna.router.proxy.ProxyServer}; a request's way is {@link dev.tuna.router.proxy.Exchange}.
 */
@NullMarked
package dev.tuna.router.proxy;

import org.jspecify.annotations.NullMarked;
