/**
 * What HTTP and OpenAI's API demand of a proxy, as pure functions of bytes and headers: nothing here opens a channel.
 *
 * <p>In a request's order: {@link dev.tuna.router.http.RequestChecks}, {@link dev.tuna.router.http.PathRules},
 * {@link dev.tuna.router.http.RequestBody}, {@link dev.tuna.router.http.ForwardHeaders},
 * {@link dev.tuna.router.http.SseScanner}; refusals are {@link dev.tuna.router.http.OpenAiError}s.
 */
@NullMarked
package dev.tuna.router.http;

import org.jspecify.annotations.NullMarked;
