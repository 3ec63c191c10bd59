package dev.tuna.examples.architecture.planted.router.proxy;

import dev.tuna.examples.architecture.planted.router.Engine;
import java.util.List;

/** Makes a cycle even though the engine counts as an entry point. */
public record SeesEngine(List<Engine> engines) {}
