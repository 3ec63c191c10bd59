/**
 * What the original does, row by row of its checklist, and what Tuna does instead where the original falls short. Display
 * names carry the rows' ids.
 */
@NullMarked
package dev.tuna.core.parity;

import org.jspecify.annotations.NullMarked;
