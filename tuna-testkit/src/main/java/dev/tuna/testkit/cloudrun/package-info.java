/**
 * A stand-in for Google Cloud Run: its Admin API, the APIs about projects that go with it, the token endpoints, and services
 * that serve.
 *
 * <p>Start at {@link dev.tuna.testkit.cloudrun.CloudRunStandIn}.
 */
@NullMarked
package dev.tuna.testkit.cloudrun;

import org.jspecify.annotations.NullMarked;
