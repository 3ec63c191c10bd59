/**
 * The local cloud on virtual time, without sockets, processes or threads. Start at
 * {@link dev.tuna.testkit.cloud.simulated.SimulatedCloud}.
 */
@NullMarked
package dev.tuna.testkit.cloud.simulated;

import org.jspecify.annotations.NullMarked;
