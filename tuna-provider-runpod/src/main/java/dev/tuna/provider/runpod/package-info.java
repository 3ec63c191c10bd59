/**
 * Serverless endpoints on RunPod, through its REST API v2.
 *
 * <p>Start at {@link dev.tuna.provider.runpod.RunPodProvider}; {@code docs/providers/runpod.md} is for users.
 */
@NullMarked
package dev.tuna.provider.runpod;

import org.jspecify.annotations.NullMarked;
