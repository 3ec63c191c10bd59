/**
 * A stand-in for RunPod: its REST API v2, its load balancer and its queue, with model servers behind.
 *
 * <p>Start at {@link dev.tuna.testkit.runpod.RunPodStandIn}.
 */
@NullMarked
package dev.tuna.testkit.runpod;

import org.jspecify.annotations.NullMarked;
