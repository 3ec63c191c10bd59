/**
 * The whole control plane on virtual time, in worlds made of a seed, held against invariants.
 *
 * <p>Start at {@link dev.tuna.core.simulation.SimulationTest}; {@link dev.tuna.core.simulation.Run} is one seed's story.
 */
@NullMarked
package dev.tuna.core.simulation;

import org.jspecify.annotations.NullMarked;
