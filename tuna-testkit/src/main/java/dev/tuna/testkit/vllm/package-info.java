/**
 * A model server that speaks vLLM's HTTP surface and misbehaves on request, without a GPU. Start at
 * {@link dev.tuna.testkit.vllm.VllmStandIn}.
 */
@NullMarked
package dev.tuna.testkit.vllm;

import org.jspecify.annotations.NullMarked;
