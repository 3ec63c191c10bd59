package dev.tuna.examples.architecture.planted.api;

import dev.tuna.examples.architecture.planted.core.two.ExitsPrintsAndLogs;
import dev.tuna.examples.architecture.planted.spi.Plain;

record SeesCoreAndSpi(ExitsPrintsAndLogs core, Plain spi) {}
