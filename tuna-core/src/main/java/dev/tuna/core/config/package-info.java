/**
 * Requests and policies as text: YAML files, JSON in the store, durations.
 *
 * <p>Start at {@link dev.tuna.core.config.ScalingPolicyYaml} and {@link dev.tuna.core.config.RequestJson}.
 */
@NullMarked
package dev.tuna.core.config;

import org.jspecify.annotations.NullMarked;
