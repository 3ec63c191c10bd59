/**
 * The providers {@code local} and {@code local-spot}, plugins like any other. Start at
 * {@link dev.tuna.testkit.cloud.plugin.LocalProvider} and {@link dev.tuna.testkit.cloud.plugin.LocalSpotProvider}.
 */
@NullMarked
package dev.tuna.testkit.cloud.plugin;

import org.jspecify.annotations.NullMarked;
