/**
 * The command line of vLLM, which changes with every release: what to run, with which image and environment, for a
 * version. Start at {@link dev.tuna.provider.support.vllm.VllmCommand}.
 */
@NullMarked
package dev.tuna.provider.support.vllm;

import org.jspecify.annotations.NullMarked;
