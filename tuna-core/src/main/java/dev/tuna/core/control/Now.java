package dev.tuna.core.control;

import java.time.Instant;

/**
 * One moment on two clocks.
 *
 * @param wall what the wall clock shows: for records, events and bills
 * @param steady time that passes evenly whatever happens to the wall clock: for deadlines, delays and pauses
 */
record Now(Instant wall, Instant steady) {}
