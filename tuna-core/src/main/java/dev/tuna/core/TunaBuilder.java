package dev.tuna.core;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.tuna.api.Budget;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ControlPlane;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.core.catalog.GpuCatalog;
import dev.tuna.core.catalog.Price;
import dev.tuna.core.catalog.Prices;
import dev.tuna.core.control.ControlParts;
import dev.tuna.core.control.ControlTimings;
import dev.tuna.core.control.Controller;
import dev.tuna.core.control.Gateway;
import dev.tuna.core.control.HostMachine;
import dev.tuna.core.control.HttpProber;
import dev.tuna.core.control.Prober;
import dev.tuna.core.control.Threads;
import dev.tuna.core.machine.RouterVmOptions;
import dev.tuna.core.machine.RouterVms;
import dev.tuna.core.provider.Clouds;
import dev.tuna.core.provider.ProviderCatalog;
import dev.tuna.core.remote.Lodging;
import dev.tuna.core.store.FileSecretStore;
import dev.tuna.core.store.SqliteStateStore;
import dev.tuna.router.NamedKey;
import dev.tuna.router.RoutePolicy;
import dev.tuna.router.RouterConfig;
import dev.tuna.router.RouterEngine;
import dev.tuna.router.RouterListener;
import dev.tuna.spi.SecretStore;
import dev.tuna.spi.ServerlessProvider;
import dev.tuna.spi.SpotProvider;
import dev.tuna.spi.StateStore;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;

/**
 * Says how a {@link Tuna} is to work, and starts it. Not thread-safe.
 *
 * <p>What is passed in (stores, scheduler, executor) belongs to the caller and stays open when the {@code Tuna} is closed.
 */
public final class TunaBuilder {

    /** How long replicas wait for a controller before they end themselves, unless told otherwise. */
    public static final Duration DEFAULT_ORPHAN_TIMEOUT = Duration.ofMinutes(15);

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);

    private Path stateDirectory = Path.of(System.getProperty("user.home"), ".tuna");
    private Optional<StateStore> store = Optional.empty();
    private Optional<SecretStore> secrets = Optional.empty();
    private String host = "127.0.0.1";
    private int port = 8080;
    private final List<ServerlessProvider> serverless = new ArrayList<>();
    private final List<SpotProvider> spot = new ArrayList<>();
    private final Map<String, Map<String, String>> settings = new LinkedHashMap<>();
    private Optional<List<Price>> prices = Optional.empty();
    private Optional<ClassLoader> classLoader = Optional.empty();
    private InstantSource clock = InstantSource.system();
    private LongSupplier ticker = System::nanoTime;
    private Optional<ScheduledExecutorService> scheduler = Optional.empty();
    private Optional<Executor> executor = Optional.empty();
    private RandomGenerator random = new SecureRandom();
    private RoutePolicy routePolicy = RoutePolicy.DEFAULT;
    private UnaryOperator<RouterConfig.Builder> routerSettings = UnaryOperator.identity();
    private Optional<URI> publicAddress = Optional.empty();
    private Duration orphanTimeout = DEFAULT_ORPHAN_TIMEOUT;
    private Optional<Budget> budget = Optional.empty();
    private ControlTimings timings = ControlTimings.DEFAULT;
    private Optional<Boolean> controlEndpoint = Optional.empty();
    private Optional<Place> lodging = Optional.empty();
    private Optional<HostMachine> machine = Optional.empty();
    private RouterVmOptions routerVms = RouterVmOptions.DEFAULT;
    private final List<Consumer<DeploymentEvent>> listeners = new ArrayList<>();
    private Optional<Function<RouterListener, Gateway>> gateway = Optional.empty();
    private Optional<Prober> prober = Optional.empty();

    TunaBuilder() {}

    /**
     * Sets the directory of the state and, unless another store is given, of the secrets.
     *
     * @param directory made if it is missing; default {@code ~/.tuna}
     * @return this
     */
    public TunaBuilder stateDirectory(Path directory) {
        this.stateDirectory = Objects.requireNonNull(directory, "directory");
        return this;
    }

    /**
     * Sets where state is kept instead of a file in the state directory.
     *
     * @param store stays open
     * @return this
     */
    public TunaBuilder store(StateStore store) {
        this.store = Optional.of(store);
        return this;
    }

    /**
     * Sets where secrets are kept instead of a file in the state directory.
     *
     * @param secrets the store
     * @return this
     */
    public TunaBuilder secrets(SecretStore secrets) {
        this.secrets = Optional.of(secrets);
        return this;
    }

    /**
     * Sets where the endpoint listens.
     *
     * @param host address; default {@code 127.0.0.1}, since the endpoint spends money
     * @param port 0 for any free one; default 8080
     * @return this
     */
    public TunaBuilder listen(String host, int port) {
        this.host = Objects.requireNonNull(host, "host");
        this.port = port;
        return this;
    }

    /**
     * Sets what else there is to set about the endpoint: its certificate, limits, threads. {@link #listen} and the admin key
     * are set already.
     *
     * @param settings is given a builder, and gives it back
     * @return this
     */
    public TunaBuilder router(UnaryOperator<RouterConfig.Builder> settings) {
        this.routerSettings = Objects.requireNonNull(settings, "settings");
        return this;
    }

    /**
     * Sets the address that clients reach the endpoint by, where it is not the one that it listens on.
     *
     * @param base URL without path, for instance {@code https://models.example.org}
     * @return this
     */
    public TunaBuilder publicAddress(URI base) {
        this.publicAddress = Optional.of(base);
        return this;
    }

    /**
     * Adds a serverless provider by hand; it wins over one of the same name on the class path.
     *
     * @param provider the plugin
     * @return this
     */
    public TunaBuilder provider(ServerlessProvider provider) {
        serverless.add(Objects.requireNonNull(provider, "provider"));
        return this;
    }

    /**
     * Adds a spot provider by hand; it wins over one of the same name on the class path.
     *
     * @param provider the plugin
     * @return this
     */
    public TunaBuilder provider(SpotProvider provider) {
        spot.add(Objects.requireNonNull(provider, "provider"));
        return this;
    }

    /**
     * Sets the installation's settings for a provider; a request's own options win.
     *
     * @param provider its name
     * @param values key to value
     * @return this
     */
    public TunaBuilder providerSettings(String provider, Map<String, String> values) {
        settings.put(Objects.requireNonNull(provider, "provider"), Map.copyOf(values));
        return this;
    }

    /**
     * Adds prices of the user's own: see {@link Prices}. May be called several times. Router VMs are told them too; an empty
     * list takes back what an earlier process told them.
     *
     * @param more for instance from {@link dev.tuna.core.config.PricesYaml}; default what providers tell
     * @return this
     */
    public TunaBuilder prices(List<Price> more) {
        var all = new ArrayList<>(prices.orElse(List.of()));
        all.addAll(more);
        prices = Optional.of(List.copyOf(all));
        return this;
    }

    /**
     * Sets where provider plugins are looked for.
     *
     * @param loader default the context class loader of the thread that starts
     * @return this
     */
    public TunaBuilder classLoader(ClassLoader loader) {
        this.classLoader = Optional.of(loader);
        return this;
    }

    /**
     * Sets the wall clock, for records, events and bills.
     *
     * @param clock default the system's
     * @return this
     */
    public TunaBuilder clock(InstantSource clock) {
        this.clock = Objects.requireNonNull(clock, "clock");
        return this;
    }

    /**
     * Sets elapsed time, for deadlines and delays, which does not jump when the wall clock does.
     *
     * @param nanos default {@link System#nanoTime()}
     * @return this
     */
    public TunaBuilder ticker(LongSupplier nanos) {
        this.ticker = Objects.requireNonNull(nanos, "nanos");
        return this;
    }

    /**
     * Sets who runs the control loop and its timers. Tasks are short and never block. Every call to a provider sets a
     * timer and cancels it when it returns, so a {@link java.util.concurrent.ScheduledThreadPoolExecutor} should remove
     * what is cancelled ({@code setRemoveOnCancelPolicy(true)}), as the default does.
     *
     * @param scheduler default a thread of its own
     * @return this
     */
    public TunaBuilder scheduler(ScheduledExecutorService scheduler) {
        this.scheduler = Optional.of(scheduler);
        return this;
    }

    /**
     * Sets who runs everything that may block: calls to providers, store writes, listeners.
     *
     * @param executor one that does not need the thread it is called in, such as a pool or {@code Runnable::run}; default
     *     bounded pools of its own
     * @return this
     */
    public TunaBuilder executor(Executor executor) {
        this.executor = Optional.of(executor);
        return this;
    }

    /**
     * Sets what ids and keys are made of.
     *
     * @param random default {@link SecureRandom}; anything else makes keys that can be guessed
     * @return this
     */
    public TunaBuilder random(RandomGenerator random) {
        this.random = Objects.requireNonNull(random, "random");
        return this;
    }

    /**
     * Sets the router's limits and time-outs.
     *
     * @param policy for every deployment; default {@link RoutePolicy#DEFAULT}
     * @return this
     */
    public TunaBuilder routePolicy(RoutePolicy policy) {
        this.routePolicy = Objects.requireNonNull(policy, "policy");
        return this;
    }

    /**
     * Sets how long a replica that hears from no controller goes on before it ends itself.
     *
     * @param timeout longer than zero; default {@link #DEFAULT_ORPHAN_TIMEOUT}
     * @return this
     */
    public TunaBuilder orphanTimeout(Duration timeout) {
        this.orphanTimeout = Objects.requireNonNull(timeout, "timeout");
        return this;
    }

    /**
     * Sets what all deployments together may cost, and what happens when they cost more: then the action is taken on each of
     * them. What deployments have spent that were destroyed counts too. A deployment may have a budget of its own beside it
     * ({@link DeployRequest#budget()}); the stricter action holds. It is stored, and holds until it is set again, here or by
     * {@link Tuna#setOverallBudget}.
     *
     * @param limits the limits, in place of those that are stored; default what is stored, at first {@link Budget#NONE}
     * @return this
     */
    public TunaBuilder budget(Budget limits) {
        this.budget = Optional.of(limits);
        return this;
    }

    /**
     * Sets how patient the control plane is.
     *
     * @param timings default {@link ControlTimings#DEFAULT}
     * @return this
     */
    public TunaBuilder timings(ControlTimings timings) {
        this.timings = Objects.requireNonNull(timings, "timings");
        return this;
    }

    /**
     * Adds a listener that hears everything from the start on, deployments that are adopted included.
     *
     * @param listener as for {@link Tuna#events}
     * @return this
     */
    public TunaBuilder events(Consumer<DeploymentEvent> listener) {
        listeners.add(Objects.requireNonNull(listener, "listener"));
        return this;
    }

    /**
     * Says whether other processes of the same user may act through this one: see {@link Tuna#running}. It listens on
     * loopback at any free port; the address and the token that is asked for are in {@code control.json} (0600) in the
     * state directory for as long as this runs.
     *
     * @param open default true, but false with a {@link #store} of the host's own
     * @return this
     */
    public TunaBuilder controlEndpoint(boolean open) {
        this.controlEndpoint = Optional.of(open);
        return this;
    }

    /**
     * Lets hosts elsewhere act through this one, and hand deployments over to it and back. It listens on loopback: whatever
     * relays to it proves who calls. This is what runs on a router's machine; {@link dev.tuna.core.vm.RouterVmMain} uses it.
     *
     * @param port on loopback
     * @param token what callers must know beside
     * @param program may stand before what is done with deployments that come and go; upgrades are its own
     * @return this
     */
    public TunaBuilder lodging(int port, Secret token, UnaryOperator<Lodging> program) {
        this.lodging = Optional.of(new Place(port, token, program));
        return this;
    }

    /**
     * Sets what router VMs run: see {@link DeployRequest#routerPlacement()}.
     *
     * @param options default {@link RouterVmOptions#DEFAULT}, which is enough for a program that is one jar
     * @return this
     */
    public TunaBuilder routerVms(RouterVmOptions options) {
        this.routerVms = Objects.requireNonNull(options, "options");
        return this;
    }

    /**
     * Sets what this runs on costs, to be shared by the deployments that are looked after here.
     *
     * @param rented the machine; default none, which is right where it runs anyway
     * @return this
     */
    public TunaBuilder machine(HostMachine rented) {
        this.machine = Optional.of(rented);
        return this;
    }

    private record Place(int port, Secret token, UnaryOperator<Lodging> program) {}

    /** Simulations have no sockets. */
    TunaBuilder gateway(Function<RouterListener, Gateway> opener) {
        this.gateway = Optional.of(opener);
        return this;
    }

    /** Simulations have no sockets. */
    TunaBuilder prober(Prober prober) {
        this.prober = Optional.of(prober);
        return this;
    }

    /**
     * Opens the store and the endpoint, and looks after what an earlier process left.
     *
     * @return a running Tuna, to be closed by the caller
     * @throws dev.tuna.api.StoreException {@code STORE_LOCKED} if another process controls the store, or another store code
     * @throws ConfigurationException {@code ENDPOINT_UNAVAILABLE} if the port is in use, {@code INVALID_REQUEST} if a value
     *     is wrong
     * @throws dev.tuna.api.ProviderNotFoundException if settings name a provider that is not on the class path
     */
    public Tuna start() {
        check();
        Deque<AutoCloseable> open = new ArrayDeque<>();
        try {
            return start(open);
        } catch (RuntimeException | Error e) {
            Installation.closeAll(open);
            throw e;
        }
    }

    /**
     * As {@link #start()}, unless another process controls the state directory: then acts through that one, whatever else
     * this builder says. For commands and tools, which do not care who controls as long as somebody does.
     *
     * @return a running {@link Tuna} or the control plane of the other process, to be closed by the caller
     * @throws dev.tuna.api.StoreException as for {@link #start()}; {@code STORE_LOCKED} if the other process has no control
     *     endpoint
     * @throws dev.tuna.api.TimedOutException if the other process does not answer
     */
    public ControlPlane startOrJoin() {
        return new Joining(stateDirectory, this::start).startOrJoin();
    }

    private void check() {
        var problems = new ArrayList<String>();
        if (port < 0 || port > 65_535) {
            problems.add("listen port is " + port + " but must be 0 to 65535");
        }
        if (orphanTimeout.isNegative() || orphanTimeout.isZero()) {
            problems.add("orphanTimeout is " + orphanTimeout + " but must be longer than zero");
        }
        if (!problems.isEmpty()) {
            throw new ConfigurationException(ErrorCode.INVALID_REQUEST, "Tuna builder", problems);
        }
    }

    private Tuna start(Deque<AutoCloseable> open) {
        StateStore state = store.orElseGet(() -> opened(open, SqliteStateStore.open(stateDirectory, clock)));
        SecretStore secretStore = secrets.orElseGet(() -> new FileSecretStore(stateDirectory));
        Threads threads = opened(open, new Threads(scheduler, executor));
        HttpClient http = client(threads, open);
        Clouds clouds = opened(open, new Clouds(providers(), settings, state, secretStore, http, clock));
        Ticker cacheTicker = ticker::getAsLong;
        var catalog = new GpuCatalog(
                clouds,
                threads.catalog(),
                threads.scheduler(),
                GpuCatalog.DEFAULT_LIMIT,
                cacheTicker,
                new Prices(prices.orElse(List.of())));
        var installation = new Installation(state, secretStore, threads, clouds, catalog, random, orphanTimeout, open);
        var controller = new Controller(new ControlParts(
                state,
                secretStore,
                clouds,
                catalog,
                gateway.orElseGet(() -> listener -> engine(installation, listener)),
                prober.orElseGet(() -> new HttpProber(http)),
                threads,
                clock,
                ticker,
                random,
                timings,
                routePolicy,
                orphanTimeout,
                budget,
                machine,
                listeners));
        var tuna = new Tuna(
                installation,
                controller,
                strays -> new RouterVms(
                        state,
                        secretStore,
                        clouds,
                        controller,
                        clock,
                        random,
                        orphanTimeout,
                        settings,
                        routerVms,
                        prices,
                        strays));
        lodging.ifPresent(place -> tuna.openLodging(place.port(), place.token(), place.program()));
        if (controlEndpoint.orElse(store.isEmpty())) {
            open.push(tuna);
            tuna.openControlEndpoint(stateDirectory, random);
        }
        return tuna;
    }

    private Gateway engine(Installation installation, RouterListener listener) {
        RouterConfig config = routerSettings
                .apply(RouterConfig.builder()
                        .host(host)
                        .port(port)
                        .adminKeys(List.of(NamedKey.of("admin", installation.adminKey()))))
                .build();
        RouterEngine engine = RouterEngine.builder()
                .config(config)
                .listener(listener)
                .clock(clock)
                .start();
        return new RouterGateway(engine, config.tls().map(RouterConfig.Tls::certificateChain), publicAddress);
    }

    private ProviderCatalog providers() {
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        ClassLoader loader = classLoader.orElse(context == null ? TunaBuilder.class.getClassLoader() : context);
        return ProviderCatalog.of(serverless, spot).andFound(loader);
    }

    private static HttpClient client(Threads threads, Deque<AutoCloseable> open) {
        HttpClient client = HttpClient.newBuilder()
                .executor(threads.http())
                .connectTimeout(CONNECT_TIMEOUT)
                // One connection less to go wrong: engines and providers gain nothing from an upgrade.
                .version(HttpClient.Version.HTTP_1_1)
                .build();
        return opened(open, new OwnedHttpClient(client));
    }

    private static <C extends AutoCloseable> C opened(Deque<AutoCloseable> open, C closeable) {
        open.push(closeable);
        return closeable;
    }
}
