package dev.tuna.core.control;

import dev.tuna.api.Budget;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.core.catalog.GpuCatalog;
import dev.tuna.core.provider.Clouds;
import dev.tuna.router.RoutePolicy;
import dev.tuna.router.RouterListener;
import dev.tuna.spi.SecretStore;
import dev.tuna.spi.StateStore;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * What the control loop works with.
 *
 * @param store where state is kept
 * @param secrets where secrets are kept
 * @param clouds the providers
 * @param catalog what GPUs cost
 * @param gateway opens the endpoint, given who wants to be told what cannot wait
 * @param prober sends readiness requests
 * @param threads where work is done
 * @param clock wall time
 * @param ticker elapsed time in nanoseconds, which does not jump
 * @param random makes ids and keys; unpredictable outside simulations
 * @param timings how patient to be
 * @param routePolicy limits and time-outs of every route
 * @param orphanTimeout a replica that has heard from no controller for this long ends itself
 * @param budget what all deployments together may cost from now on; empty for what the store has
 * @param machine what this runs on, where that is rented for it; empty usually
 * @param listeners are told of everything from the beginning
 */
public record ControlParts(
        StateStore store,
        SecretStore secrets,
        Clouds clouds,
        GpuCatalog catalog,
        Function<RouterListener, Gateway> gateway,
        Prober prober,
        Threads threads,
        InstantSource clock,
        LongSupplier ticker,
        RandomGenerator random,
        ControlTimings timings,
        RoutePolicy routePolicy,
        Duration orphanTimeout,
        Optional<Budget> budget,
        Optional<HostMachine> machine,
        List<Consumer<DeploymentEvent>> listeners) {

    /** Checks that every part is there and copies the list. */
    public ControlParts {
        Objects.requireNonNull(store, "store");
        Objects.requireNonNull(secrets, "secrets");
        Objects.requireNonNull(clouds, "clouds");
        Objects.requireNonNull(catalog, "catalog");
        Objects.requireNonNull(gateway, "gateway");
        Objects.requireNonNull(prober, "prober");
        Objects.requireNonNull(threads, "threads");
        Objects.requireNonNull(clock, "clock");
        Objects.requireNonNull(ticker, "ticker");
        Objects.requireNonNull(random, "random");
        Objects.requireNonNull(timings, "timings");
        Objects.requireNonNull(routePolicy, "routePolicy");
        Objects.requireNonNull(orphanTimeout, "orphanTimeout");
        Objects.requireNonNull(budget, "budget");
        Objects.requireNonNull(machine, "machine");
        listeners = List.copyOf(listeners);
    }
}
