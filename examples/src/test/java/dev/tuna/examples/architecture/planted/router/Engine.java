package dev.tuna.examples.architecture.planted.router;

import dev.tuna.examples.architecture.planted.router.proxy.SeesEngine;

/** An entry point that is seen from within. */
public record Engine(SeesEngine inside) {}
