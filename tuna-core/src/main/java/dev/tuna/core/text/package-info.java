/** Words for people: durations, and guesses at what a misspelt name means. Pure, and used by every other package. */
@NullMarked
package dev.tuna.core.text;

import org.jspecify.annotations.NullMarked;
