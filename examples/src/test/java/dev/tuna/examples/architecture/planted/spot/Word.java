package dev.tuna.examples.architecture.planted.spot;

/** A word that the door and the room share. */
public record Word() {}
