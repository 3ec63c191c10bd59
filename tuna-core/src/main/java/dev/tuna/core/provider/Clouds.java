package dev.tuna.core.provider;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.TunaException;
import dev.tuna.spi.Journal;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.SecretStore;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessProvider;
import dev.tuna.spi.SpotCloud;
import dev.tuna.spi.SpotProvider;
import dev.tuna.spi.StateStore;
import java.net.http.HttpClient;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The clouds of one installation, each opened when it is first asked for and closed with this object. What a plugin
 * throws or returns against its contract comes out as a {@link dev.tuna.api.ProviderException} that names its class.
 *
 * <p>Thread-safe; opening one cloud does not keep anybody from another one. What it is given (stores, HTTP client)
 * belongs to the caller and stays open.
 */
public final class Clouds implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Clouds.class);

    private final ProviderCatalog catalog;
    private final Map<String, Map<String, String>> settings;
    private final StateStore state;
    private final SecretStore secrets;
    private final HttpClient http;
    private final InstantSource clock;

    private final ConcurrentMap<String, CompletableFuture<ServerlessCloud>> serverless = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, CompletableFuture<SpotCloud>> spot = new ConcurrentHashMap<>();
    private volatile boolean closed;

    /**
     * Opens nothing yet.
     *
     * @param catalog the plugins
     * @param settings settings of this installation: provider name, then key, then value; names of no plugin are an
     *     error
     * @param state where journals are kept; its owner id marks what plugins make
     * @param secrets where plugins look credentials up
     * @param http what plugins call their APIs with
     * @param clock the time that plugins see
     * @throws dev.tuna.api.ProviderNotFoundException if settings name a provider that does not exist
     */
    public Clouds(
            ProviderCatalog catalog,
            Map<String, Map<String, String>> settings,
            StateStore state,
            SecretStore secrets,
            HttpClient http,
            InstantSource clock) {
        this.catalog = Objects.requireNonNull(catalog, "catalog");
        this.state = Objects.requireNonNull(state, "state");
        this.secrets = Objects.requireNonNull(secrets, "secrets");
        this.http = Objects.requireNonNull(http, "http");
        this.clock = Objects.requireNonNull(clock, "clock");
        settings.keySet().forEach(catalog::requireKnown);
        var copies = new LinkedHashMap<String, Map<String, String>>();
        settings.forEach((name, values) -> copies.put(name, Map.copyOf(values)));
        this.settings = Map.copyOf(copies);
    }

    /**
     * The plugins behind the clouds.
     *
     * @return the catalogue
     */
    public ProviderCatalog catalog() {
        return catalog;
    }

    /**
     * Whether this installation has settings for a provider: then it is meant to be used.
     *
     * @param name the provider's exact name
     * @return false also if there is no such provider
     */
    public boolean isSet(String name) {
        return !settings.getOrDefault(name, Map.of()).isEmpty();
    }

    /**
     * A serverless cloud, opened if it is not yet. Never to be closed by the caller.
     *
     * @param name the provider's exact name
     * @return the same object on every call
     * @throws dev.tuna.api.ProviderNotFoundException if there is no such provider, or more than one
     * @throws dev.tuna.api.ProviderException if its plugin fails to open; the next call tries again
     * @throws ConfigurationException {@code CLOSED} after {@link #close}
     */
    public ServerlessCloud serverless(String name) {
        ServerlessProvider plugin = catalog.serverless(name);
        var guard = new PluginGuard(name, plugin.getClass());
        return opened(
                serverless,
                name,
                () -> new GuardedServerlessCloud(guard.call("open", () -> plugin.open(context(name))), guard));
    }

    /**
     * A cloud that rents machines, opened if it is not yet. Never to be closed by the caller.
     *
     * @param name the provider's exact name
     * @return the same object on every call
     * @throws dev.tuna.api.ProviderNotFoundException if there is no such provider, or more than one
     * @throws dev.tuna.api.ProviderException if its plugin fails to open; the next call tries again
     * @throws ConfigurationException {@code CLOSED} after {@link #close}
     */
    public SpotCloud spot(String name) {
        SpotProvider plugin = catalog.spot(name);
        var guard = new PluginGuard(name, plugin.getClass());
        return opened(
                spot, name, () -> new GuardedSpotCloud(guard.call("open", () -> plugin.open(context(name))), guard));
    }

    /** Closes every cloud that was opened, also one that is being opened right now. Destroys nothing. Idempotent. */
    @Override
    public void close() {
        closed = true;
        closeAll(serverless);
        closeAll(spot);
    }

    private <C extends AutoCloseable> C opened(
            ConcurrentMap<String, CompletableFuture<C>> clouds, String name, Supplier<C> open) {
        var mine = new CompletableFuture<C>();
        CompletableFuture<C> first = clouds.putIfAbsent(name, mine);
        if (closed) {
            // Looked at after the entry was made: either close() sees the entry, or this sees the mark.
            clouds.remove(name, mine);
            throw new ConfigurationException(ErrorCode.CLOSED, "provider '" + name + "' is closed, as its owner is");
        }
        if (first != null) {
            return await(first);
        }
        try {
            mine.complete(open.get());
        } catch (RuntimeException | Error e) {
            clouds.remove(name, mine);
            mine.completeExceptionally(e);
        }
        return await(mine);
    }

    private static <C> C await(CompletableFuture<C> cloud) {
        try {
            return cloud.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof TunaException cause) {
                throw cause;
            }
            if (e.getCause() instanceof Error cause) {
                throw cause;
            }
            throw e;
        }
    }

    private static <C extends AutoCloseable> void closeAll(ConcurrentMap<String, CompletableFuture<C>> clouds) {
        for (String name : clouds.keySet()) {
            CompletableFuture<C> cloud = clouds.remove(name);
            if (cloud != null) {
                // At once if it is open; else by the thread that is opening it, when it is done.
                CompletableFuture<Void> unused = cloud.thenAccept(Clouds::close);
            }
        }
    }

    private static void close(AutoCloseable cloud) {
        try {
            cloud.close();
        } catch (Exception e) {
            LOG.warn("A cloud did not close properly", e);
        }
    }

    private ProviderContext context(String name) {
        Journal journal = new StoreJournal(name, state, clock);
        return new Context(state.ownerId(), settings.getOrDefault(name, Map.of()), secrets, http, clock, journal);
    }

    private record Context(
            String ownerId,
            Map<String, String> settings,
            SecretStore secrets,
            HttpClient http,
            InstantSource clock,
            Journal journal)
            implements ProviderContext {}
}
