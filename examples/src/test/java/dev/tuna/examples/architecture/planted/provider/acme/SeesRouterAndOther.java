package dev.tuna.examples.architecture.planted.provider.acme;

import dev.tuna.examples.architecture.planted.provider.other.Other;
import dev.tuna.examples.architecture.planted.router.SeesCore;

record SeesRouterAndOther(SeesCore router, Other other) {}
