package dev.tuna.examples.architecture.planted.testkit;

import dev.tuna.examples.architecture.planted.router.SeesCore;

record SeesRouter(SeesCore router) {}
