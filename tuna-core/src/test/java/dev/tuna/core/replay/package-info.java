/**
 * Replays days of traffic over spot markets, real and made, under several policies on a virtual clock, and reckons what each
 * costs and how long clients wait. Start at {@code ReplayTest}; the table is in {@code docs/fleet-policy.md}.
 */
@NullMarked
package dev.tuna.core.replay;

import org.jspecify.annotations.NullMarked;
