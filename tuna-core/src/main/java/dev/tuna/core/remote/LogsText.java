package dev.tuna.core.remote;

/** Whose logs are wanted, and how much of them. Immutable. */
record LogsText(String name, int lines) {}
