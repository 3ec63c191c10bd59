package dev.tuna.core.remote;

import dev.tuna.api.ControlPlane;
import dev.tuna.api.PreflightReport;
import java.util.Map;

/** What is to be checked. Immutable. */
record CheckText(String provider, String gpu, Map<String, String> options, boolean fix) {

    CheckText {
        options = Map.copyOf(options);
    }

    PreflightReport askOf(ControlPlane plane) {
        return plane.check(provider, gpu, options, fix);
    }
}
