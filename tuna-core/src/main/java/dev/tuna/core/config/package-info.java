/**
 * Requests, policies and prices as text: YAML files, JSON in the store and between processes.
 *
 * <p>Start at {@link dev.tuna.core.config.ScalingPolicyYaml}, {@link dev.tuna.core.config.PricesYaml} and {@link dev.tuna.core.config.RequestJson}.
 */
@NullMarked
package dev.tuna.core.config;

import org.jspecify.annotations.NullMarked;
