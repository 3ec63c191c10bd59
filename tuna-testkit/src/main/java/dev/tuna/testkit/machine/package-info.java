/**
 * Machines that run their user data for real, as processes of this machine. Start at {@link
 * dev.tuna.testkit.machine.MachineSandbox}.
 */
@NullMarked
package dev.tuna.testkit.machine;

import org.jspecify.annotations.NullMarked;
