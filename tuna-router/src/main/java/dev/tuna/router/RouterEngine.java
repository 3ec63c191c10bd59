package dev.tuna.router;

import dev.tuna.router.admin.AdminEndpoints;
import dev.tuna.router.admin.EditableRoute;
import dev.tuna.router.admin.RouterControl;
import dev.tuna.router.admin.RouterControl.RouteStatus;
import dev.tuna.router.admin.RouterMeters;
import dev.tuna.router.admin.UrlRoute;
import dev.tuna.router.proxy.ProxyServer;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP endpoint in front of many deployments, each request going to the one whose model it names.
 *
 * <p>Runs inside the host application, on daemon threads of its own named {@code tuna-router-…}; several engines can run in
 * one process. Thread-safe.
 *
 * <pre>{@code
 * try (RouterEngine router = RouterEngine.builder().start()) {
 *     router.put(route);
 *     …
 * }
 * }</pre>
 */
public final class RouterEngine implements AutoCloseable {

    private final ProxyServer server;
    private final RouterMeters meters;
    private final AdminEndpoints pages;
    private final UrlRoutes urlRoutes;

    private RouterEngine(
            RouterConfig config,
            RouterListener listener,
            MeterRegistry registry,
            LongSupplier ticker,
            InstantSource clock) {
        server = ProxyServer.create(config, listener, registry, ticker, clock);
        urlRoutes = new UrlRoutes(this::put);
        RouterControl control = new Control();
        meters = new RouterMeters(registry, control);
        pages = new AdminEndpoints(control, config.adminKeys(), registry);
    }

    private RouterEngine listen() {
        try {
            server.listen(pages::answer);
            return this;
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** The router as its admin pages see it. */
    private final class Control implements RouterControl {
        @Override
        public List<RouteStatus> routes() {
            return server.all();
        }

        @Override
        public Optional<RouteStatus> route(String deployment) {
            return server.route(deployment);
        }

        @Override
        public Optional<EditableRoute> editable(String deployment) {
            return urlRoutes.named(deployment);
        }

        @Override
        public boolean accepting() {
            return server.isAccepting();
        }
    }

    /**
     * Begins to configure an engine.
     *
     * @return a builder with the defaults
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Where it listens.
     *
     * @return the bound address, with the real port if any free one was asked for
     */
    public InetSocketAddress address() {
        return server.address();
    }

    /**
     * Adds a route, or replaces the one of the same deployment whole. Requests on their way are not disturbed: attempts go
     * on even on backends that the new route no longer names, and requests that wait for a backend are let go on at once.
     * Counts, breakers and load of backends that stay (same id, tier and URL) are kept.
     *
     * @param route the route
     * @throws IllegalArgumentException if another deployment's route serves one of its models; names both
     */
    public void put(Route route) {
        server.put(Objects.requireNonNull(route, "route"));
        meters.routesChanged();
    }

    /**
     * Serves URLs without a control plane: puts a route made of them, watches its replicas' health, and lets admins change
     * them over HTTP. {@link #remove} ends it.
     *
     * @param route describes it
     * @throws IllegalArgumentException if an URL will not do, or another deployment's route serves one of its models
     */
    public void serve(UrlRoute.Builder route) {
        urlRoutes.start(route);
    }

    /**
     * Takes a route away. What is being answered is answered to its end; what waits for a backend gets 503. Does nothing if
     * there is no such route.
     *
     * @param deployment the deployment's name
     */
    public void remove(String deployment) {
        urlRoutes.stop(Objects.requireNonNull(deployment, "deployment"));
        server.remove(deployment);
        meters.routesChanged();
    }

    /**
     * What a route has had to do so far.
     *
     * @param deployment the deployment's name
     * @return its load at this moment; empty if there is no such route
     */
    public Optional<RouteLoad> load(String deployment) {
        return server.route(Objects.requireNonNull(deployment, "deployment")).map(RouteStatus::load);
    }

    /**
     * All routes.
     *
     * @return in the order in which they were first put
     */
    public List<Route> routes() {
        return server.all().stream().map(RouteStatus::route).toList();
    }

    /**
     * Everything measured, as {@code /router/metrics} shows it.
     *
     * @return Prometheus text, format 0.0.4
     */
    public String metrics() {
        return pages.metrics();
    }

    /**
     * Stops: no new connections, connections at rest closed, answers that flow come to their end within
     * {@link RouterConfig#shutdownGrace()}, then what is left is cut. No thread and no socket remains. May be called
     * twice.
     */
    @Override
    public void close() {
        urlRoutes.close();
        server.close();
        meters.close();
    }

    /** Configures a {@link RouterEngine}. Not thread-safe. */
    public static final class Builder {
        private RouterConfig config = RouterConfig.DEFAULT;
        private RouterListener listener = RouterListener.NONE;
        private @Nullable MeterRegistry registry;
        private LongSupplier ticker = System::nanoTime;
        private InstantSource clock = InstantSource.system();

        private Builder() {}

        /**
         * How to listen; default {@link RouterConfig#DEFAULT}.
         *
         * @param value the config
         * @return this
         */
        public Builder config(RouterConfig value) {
            this.config = Objects.requireNonNull(value, "config");
            return this;
        }

        /**
         * Who is told what cannot wait; default nobody.
         *
         * @param value called on event loops
         * @return this
         */
        public Builder listener(RouterListener value) {
            this.listener = Objects.requireNonNull(value, "listener");
            return this;
        }

        /**
         * Where to measure; default a registry of its own, which {@link RouterEngine#metrics()} shows.
         *
         * @param value stays the caller's; the engine takes its meters out of it on closing
         * @return this
         */
        public Builder meterRegistry(MeterRegistry value) {
            this.registry = Objects.requireNonNull(value, "registry");
            return this;
        }

        /**
         * By what every time limit is measured, however long it really takes; default {@link System#nanoTime()}. For tests.
         *
         * @param value nanoseconds from any origin; never goes back
         * @return this
         */
        public Builder ticker(LongSupplier value) {
            this.ticker = Objects.requireNonNull(value, "ticker");
            return this;
        }

        /**
         * The wall clock, by which {@link RouteBackend#endsAt()} is told; default the system's.
         *
         * @param value what time it is
         * @return this
         */
        public Builder clock(InstantSource value) {
            this.clock = Objects.requireNonNull(value, "clock");
            return this;
        }

        /**
         * Starts.
         *
         * @return an engine that listens and has no routes yet
         * @throws dev.tuna.api.ConfigurationException if the address is taken or may not be used, or a certificate cannot
         *     be read; names it and the fix
         */
        public RouterEngine start() {
            MeterRegistry meters = registry != null ? registry : new SimpleMeterRegistry();
            return new RouterEngine(config, listener, meters, ticker, clock).listen();
        }
    }
}
