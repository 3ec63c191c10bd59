package dev.tuna.router.admin;

import dev.tuna.api.Secret;
import dev.tuna.api.Tier;
import dev.tuna.router.NamedKey;
import dev.tuna.router.Route;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.RoutePolicy;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * A route made of URLs, for a router that runs without Tuna's control plane. Serverless endpoints are trusted as they are
 * and never probed, so that they can scale to zero; replicas are used while they answer their health check.
 *
 * <p>Thread-safe. Closing it stops the health checks; the route stays as it is until it is removed from the router.
 */
public final class UrlRoute implements EditableRoute, AutoCloseable {

    private final Builder settings;
    private final Consumer<Route> router;
    private final ReplicaWatch watch;
    private final ReentrantLock lock = new ReentrantLock();

    // Guarded by the lock.
    private final Map<URI, String> ids = new HashMap<>();
    private final Map<Tier, Integer> named = new HashMap<>();
    private List<URI> serverless;
    private Optional<Secret> serverlessToken;
    private List<URI> spot;

    private UrlRoute(Builder settings, Consumer<Route> router, ScheduledExecutorService scheduler, HttpClient client) {
        this.settings = settings;
        this.router = router;
        this.serverless = settings.serverless;
        this.serverlessToken = settings.serverlessToken;
        this.spot = settings.spot;
        this.watch = new ReplicaWatch(settings.healthPath, settings.healthEvery, scheduler, client, this::publish);
    }

    /**
     * Begins to describe a route.
     *
     * @param deployment its name in statistics and logs
     * @return a new builder
     */
    public static Builder builder(String deployment) {
        return new Builder(deployment);
    }

    /**
     * The route's name.
     *
     * @return as given to {@link #builder}
     */
    public String deployment() {
        return settings.deployment;
    }

    @Override
    public void change(Change change) {
        lock.lock();
        try {
            serverless = change.serverless().orElse(serverless);
            serverlessToken = change.serverlessToken().isPresent() ? change.serverlessToken() : serverlessToken;
            spot = change.spot().orElse(spot);
            watch.watch(spot);
            router.accept(route());
        } finally {
            lock.unlock();
        }
    }

    /** Stops the health checks. May be called twice. */
    @Override
    public void close() {
        watch.close();
    }

    private void start() {
        lock.lock();
        try {
            router.accept(route());
            watch.watch(spot);
        } finally {
            lock.unlock();
        }
    }

    private void publish() {
        lock.lock();
        try {
            router.accept(route());
        } finally {
            lock.unlock();
        }
    }

    private Route route() {
        List<URI> healthy = spot.stream().filter(watch::isHealthy).toList();
        return new Route(
                settings.deployment,
                settings.models,
                settings.keys,
                settings.publicAccess,
                serverless.stream()
                        .map(url -> backend(url, Tier.SERVERLESS, serverlessToken.map(Credential::bearer)))
                        .toList(),
                healthy.stream()
                        .map(url -> backend(url, Tier.SPOT, Optional.empty()))
                        .toList(),
                spot.size() - healthy.size(),
                settings.policy);
    }

    private RouteBackend backend(URI url, Tier tier, Optional<Credential> credential) {
        return RouteBackend.of(
                id(url, tier), tier, new BackendAddress(url, credential, settings.healthPath, Optional.empty(), 0));
    }

    /** Numbered, since ids go to clients and URLs do not. */
    private String id(URI url, Tier tier) {
        return ids.computeIfAbsent(
                url, key -> (tier == Tier.SERVERLESS ? "serverless-" : "spot-") + named.merge(tier, 1, Integer::sum));
    }

    /** Describes a {@link UrlRoute}. Not thread-safe. */
    public static final class Builder {
        private final String deployment;
        private List<String> models = List.of(Route.ANY_MODEL);
        private List<NamedKey> keys = List.of();
        private boolean publicAccess;
        private List<URI> serverless = List.of();
        private Optional<Secret> serverlessToken = Optional.empty();
        private List<URI> spot = List.of();
        private RoutePolicy policy = RoutePolicy.DEFAULT;
        private String healthPath = "/health";
        private Duration healthEvery = Duration.ofSeconds(5);

        private Builder(String deployment) {
            this.deployment = Objects.requireNonNull(deployment, "deployment");
        }

        /**
         * The models that choose this route; default {@link Route#ANY_MODEL}.
         *
         * @param value at least one
         * @return this
         */
        public Builder models(List<String> value) {
            this.models = List.copyOf(value);
            return this;
        }

        /**
         * Traffic keys; default none, which demands {@link #publicAccess}.
         *
         * @param value any of which lets a request in
         * @return this
         */
        public Builder keys(List<NamedKey> value) {
            this.keys = List.copyOf(value);
            return this;
        }

        /**
         * Whether requests need no key; default false.
         *
         * @param value true to let everybody in
         * @return this
         */
        public Builder publicAccess(boolean value) {
            this.publicAccess = value;
            return this;
        }

        /**
         * Serverless endpoints in order of preference; default none.
         *
         * @param value base URLs
         * @return this
         */
        public Builder serverless(List<URI> value) {
            this.serverless = List.copyOf(value);
            return this;
        }

        /**
         * The bearer token that the serverless endpoints demand; default none.
         *
         * @param value the bare token
         * @return this
         */
        public Builder serverlessToken(Secret value) {
            this.serverlessToken = Optional.of(value);
            return this;
        }

        /**
         * Replicas; default none.
         *
         * @param value base URLs
         * @return this
         */
        public Builder spot(List<URI> value) {
            this.spot = List.copyOf(value);
            return this;
        }

        /**
         * Limits and time-outs; default {@link RoutePolicy#DEFAULT}.
         *
         * @param value the policy
         * @return this
         */
        public Builder policy(RoutePolicy value) {
            this.policy = value;
            return this;
        }

        /**
         * The path at which a replica answers 200 when it can serve; default {@code /health}.
         *
         * @param value starts with a slash
         * @return this
         */
        public Builder healthPath(String value) {
            this.healthPath = value;
            return this;
        }

        /**
         * How often replicas are asked; default 5 s. Each question may take as long as that too.
         *
         * @param value longer than zero
         * @return this
         */
        public Builder healthEvery(Duration value) {
            this.healthEvery = value;
            return this;
        }

        /**
         * Puts the route and begins to watch its replicas.
         *
         * @param router where the route goes, now and whenever it changes, for instance {@code engine::put}
         * @param scheduler when replicas are asked; stays the caller's
         * @param client by whom; should follow no redirects; stays the caller's
         * @return the running route
         * @throws IllegalArgumentException if there is neither a key nor public access, or an URL will not do
         */
        public UrlRoute start(Consumer<Route> router, ScheduledExecutorService scheduler, HttpClient client) {
            UrlRoute route = new UrlRoute(this, router, scheduler, client);
            try {
                route.start();
                return route;
            } catch (RuntimeException e) {
                route.close();
                throw e;
            }
        }
    }
}
