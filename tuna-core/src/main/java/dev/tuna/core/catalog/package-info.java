/**
 * GPUs: what they are called, what they are, and what they cost at every provider.
 *
 * <p>Start at {@link dev.tuna.core.catalog.GpuCatalog} and {@link dev.tuna.core.catalog.GpuNames}.
 */
@NullMarked
package dev.tuna.core.catalog;

import org.jspecify.annotations.NullMarked;
