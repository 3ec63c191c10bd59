package dev.tuna.examples.architecture.planted.spi;

/** Breaks nothing. */
public record Plain() {}
