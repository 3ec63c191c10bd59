package dev.tuna.examples.architecture.planted.provider.other;

/** Breaks nothing. */
public record Other() {}
