package dev.tuna.examples.architecture.planted.spot.inner;

import dev.tuna.examples.architecture.planted.spot.Word;

/** Makes a cycle unless the door counts as an entry point. */
public record Room(Word word) {}
