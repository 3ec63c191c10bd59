/**
 * What is known about GPUs whoever sells them: names, memory, architecture.
 *
 * <p>Start at {@link dev.tuna.core.catalog.GpuNames}.
 */
@NullMarked
package dev.tuna.core.catalog;

import org.jspecify.annotations.NullMarked;
