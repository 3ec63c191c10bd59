package dev.tuna.core;

import dev.tuna.core.control.Gateway;
import dev.tuna.core.control.Prober;
import dev.tuna.router.RouterListener;
import java.util.function.Function;

/** Opens to other packages what a {@link TunaBuilder} has for simulations only. */
public final class WithoutSockets {

    private WithoutSockets() {}

    /** Starts a Tuna whose endpoint and readiness requests are simulated. */
    public static Tuna start(TunaBuilder builder, Function<RouterListener, Gateway> gateway, Prober prober) {
        return builder.gateway(gateway).prober(prober).start();
    }
}
