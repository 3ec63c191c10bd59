package dev.tuna.examples.architecture.planted.router;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tuna.examples.architecture.planted.core.two.ExitsPrintsAndLogs;

/** Breaks the router's arrow and uses a library it may not have. */
public record SeesCore(ExitsPrintsAndLogs core, ObjectMapper json) {}
