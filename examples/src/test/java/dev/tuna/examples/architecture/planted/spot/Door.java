package dev.tuna.examples.architecture.planted.spot;

import dev.tuna.examples.architecture.planted.spot.inner.Room;

/** An entry point; breaks nothing. */
record Door(Word word, Room room) {}
