/**
 * Finds provider plugins, opens each once and stands between them and the rest of core, so that a faulty plugin is
 * named and harms nothing else.
 *
 * <p>Start at {@link dev.tuna.core.provider.ProviderCatalog} and {@link dev.tuna.core.provider.Clouds}.
 */
@NullMarked
package dev.tuna.core.provider;

import org.jspecify.annotations.NullMarked;
