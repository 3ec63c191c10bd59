package dev.tuna.core;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Orphan;
import dev.tuna.api.RouterPlacement;
import dev.tuna.api.Secret;
import dev.tuna.api.StoreException;
import dev.tuna.core.control.HostMachine;
import dev.tuna.core.machine.RouterVmOptions;
import dev.tuna.core.remote.Lodging;
import dev.tuna.core.store.InMemoryStateStore;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.Credential;
import dev.tuna.spi.FoundRouterVm;
import dev.tuna.spi.LaunchPlan;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.RouterCloud;
import dev.tuna.spi.RouterVmObservation;
import dev.tuna.spi.RouterVmPlan;
import dev.tuna.spi.RouterVmSpec;
import dev.tuna.spi.SecretStore;
import dev.tuna.spi.SpotCloud;
import dev.tuna.spi.SpotProvider;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateStore;
import dev.tuna.testkit.cloud.LocalCloud;
import dev.tuna.testkit.cloud.plugin.LocalSpotProvider;
import dev.tuna.testkit.contract.InMemorySecretStore;
import dev.tuna.testkit.crash.ForwardingStateStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * A host, a local cloud, and router VMs that are further Tunas of this process: they are handed deployments as real ones are,
 * over a connection, but are there at once, and do what a test wants of them.
 */
final class RouterVmWorld implements SpotProvider, AutoCloseable {

    static final String OWNER = "0123456789abcdef";
    private static final Secret TOKEN = Secret.of("token-of-the-control-endpoint");

    final LocalCloud cloud = LocalCloud.builder()
            .bootDelay(Duration.ofMillis(100))
            .coldStart(Duration.ofMillis(100))
            .startInProcess();
    private final Map<String, Machine> machines = new ConcurrentHashMap<>();
    final InMemorySecretStore secrets = new InMemorySecretStore();
    private InMemoryStateStore store = new InMemoryStateStore(OWNER);
    private final Map<String, Planned> plans = new ConcurrentHashMap<>();

    /** Stands before what machines do with deployments that come and go. */
    volatile UnaryOperator<Lodging> program = UnaryOperator.identity();

    /** Is told of what is about to be launched or terminated; may throw. */
    volatile Consumer<LaunchPlan> beforeLaunch = plan -> {};

    volatile Consumer<ResourceRef> beforeTermination = replica -> {};

    /** How machines are seen. */
    volatile UnaryOperator<RouterVmObservation> sight = UnaryOperator.identity();

    /** What a search for machines comes to. */
    volatile UnaryOperator<List<FoundRouterVm>> search = UnaryOperator.identity();

    /** Is told of what is about to be looked at; may throw. */
    volatile Consumer<ResourceRef> beforeSight = vm -> {};

    /** Where others find the host, if they are to. */
    Optional<Path> directory = Optional.empty();

    /** Are told of a machine that is about to be launched, and of one that was; may throw. */
    volatile Runnable beforeMachine = () -> {};

    volatile Runnable afterMachine = () -> {};

    /** What the host's disk does not take. */
    volatile Predicate<StateChange> refused = change -> false;

    /** What machines are made with beside their jar. */
    UnaryOperator<RouterVmOptions.Builder> options = UnaryOperator.identity();

    /** What the disks of machines do not take. */
    volatile Predicate<StateChange> refusedThere = change -> false;

    @SuppressWarnings("NullAway.Init")
    Tuna host;

    /** A machine as its cloud knows it. */
    record Machine(RouterVmPlan plan, int control, Tuna tuna, InMemoryStateStore store, InMemorySecretStore secrets) {}

    private record Planned(SpotCloud cloud, ReplicaSpec spec, List<CapacityPool> pools) {}

    Tuna start() {
        TunaBuilder builder = tuna(refusing(store, change -> refused.test(change)), secrets);
        directory.ifPresent(shared -> builder.stateDirectory(shared).controlEndpoint(true));
        host = builder.routerVms(options.apply(RouterVmOptions.builder()
                                .jar(URI.create("https://example.org/tuna.jar"))
                                .sha256("0".repeat(64)))
                        .build())
                .start();
        return host;
    }

    Tuna restart() {
        host.close();
        store.close();
        store = store.reopen();
        return start();
    }

    /** Somebody with the cloud's credentials and nothing else. */
    Tuna visitor(String owner) {
        return tuna(new InMemoryStateStore(owner), new InMemorySecretStore()).start();
    }

    private static StateStore refusing(StateStore inner, Predicate<StateChange> what) {
        return new ForwardingStateStore() {
            @Override
            public StateStore store() {
                return inner;
            }

            @Override
            public void save(StateChange change) {
                if (what.test(change)) {
                    throw new StoreException(ErrorCode.STORE_UNWRITABLE, "refused, as scripted", null);
                }
                inner.save(change);
            }
        };
    }

    private TunaBuilder tuna(StateStore state, SecretStore kept) {
        return Tuna.builder()
                .store(state)
                .secrets(kept)
                .listen("127.0.0.1", 0)
                .provider(this)
                .providerSettings("local", cloud.settings())
                .providerSettings("local-spot", spotSettings());
    }

    private Map<String, String> spotSettings() {
        var settings = new HashMap<>(cloud.settings());
        settings.put("router_vm", "shared");
        return settings;
    }

    /** For a machine, which all deployments of a test share. */
    static DeployRequest.Builder request(String name, String model) {
        return DeployRequest.builder(model, "L4")
                .serviceName(name)
                .spotCloud("local-spot")
                .routerPlacement(RouterPlacement.SEPARATE_VM);
    }

    /** What the host's store has of what is outside. */
    List<ResourceRecord> stored() {
        return store.load().resources();
    }

    /** The machine that all share. */
    Tuna machine() {
        return machines.values().iterator().next().tuna();
    }

    /** What it keeps secret. */
    SecretStore machineSecrets() {
        return machines.values().iterator().next().secrets();
    }

    boolean hasMachine() {
        return !machines.isEmpty();
    }

    /** As after a crash of the program or an upgrade: on every machine, under the same address, with what it has stored. */
    void restartPrograms() {
        machines.replaceAll((token, machine) -> {
            machine.tuna().close();
            machine.store().close();
            return machine(machine.plan(), machine.control(), machine.store().reopen(), machine.secrets());
        });
    }

    /** As when a machine breaks: what it has made goes on. */
    void loseMachine() {
        machines.values().removeIf(machine -> {
            machine.tuna().close();
            return true;
        });
    }

    /** What nobody but the one who made it knows of. */
    ResourceRef launchUnknown(String deployment) {
        Planned planned = Objects.requireNonNull(plans.get(deployment), deployment);
        return planned.cloud().launch(planned.cloud().plan(planned.spec(), planned.pools(), "unknown"));
    }

    /** It does not answer, as while it boots. */
    static RouterVmObservation silent(RouterVmObservation seen, BackendPhase phase) {
        return new RouterVmObservation(
                phase,
                "as scripted",
                Optional.empty(),
                Optional.empty(),
                seen.launchedAt(),
                seen.endedAt(),
                seen.usdPerHour());
    }

    /** What runs for a deployment, as a list of orphans would show it. */
    List<Orphan> orphansOf(String deployment) {
        Planned planned = Objects.requireNonNull(plans.get(deployment), deployment);
        return planned.cloud().find().stream()
                .filter(found -> found.deployment().equals(deployment))
                .map(found -> new Orphan(
                        found.resource().provider(),
                        found.resource().id(),
                        found.resource().kind(),
                        found.ownerId(),
                        found.deployment(),
                        true,
                        found.createdAt()))
                .toList();
    }

    static RouterVmObservation costing(RouterVmObservation seen, BigDecimal usdPerHour) {
        return new RouterVmObservation(
                seen.phase(),
                seen.detail(),
                seen.control(),
                seen.endpoint(),
                seen.launchedAt(),
                seen.endedAt(),
                Optional.of(usdPerHour));
    }

    static void until(BooleanSupplier condition, String what) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        var pause = new CountDownLatch(1);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("still not: " + what);
            }
            var unused = pause.await(20, TimeUnit.MILLISECONDS);
        }
    }

    @Override
    public String name() {
        return "local-spot";
    }

    @Override
    public SpotCloud open(ProviderContext context) {
        SpotCloud inner = new LocalSpotProvider().open(context);
        return new ForwardingSpot() {
            @Override
            public SpotCloud inner() {
                return inner;
            }

            @Override
            public LaunchPlan plan(ReplicaSpec spec, List<CapacityPool> pools, String token) {
                plans.put(spec.deployment(), new Planned(inner, spec, pools));
                return inner.plan(spec, pools, token);
            }

            @Override
            public ResourceRef launch(LaunchPlan plan) {
                beforeLaunch.accept(plan);
                return inner.launch(plan);
            }

            @Override
            public void terminate(ResourceRef replica) {
                beforeTermination.accept(replica);
                inner.terminate(replica);
            }

            @Override
            public Optional<RouterCloud> routers() {
                return Optional.of(new Routers());
            }
        };
    }

    private final class Routers implements RouterCloud {
        @Override
        public RouterVmPlan plan(RouterVmSpec spec, String token) {
            return new RouterVmPlan(
                    spec.name(), token, "in this process", "small", "here", Optional.of(BigDecimal.ONE), "{}");
        }

        @Override
        public ResourceRef launch(RouterVmPlan plan) {
            beforeMachine.run();
            machines.computeIfAbsent(
                    plan.token(),
                    token -> machine(plan, freePort(), new InMemoryStateStore(OWNER), new InMemorySecretStore()));
            afterMachine.run();
            return ref(plan.token());
        }

        private ResourceRef ref(String token) {
            return new ResourceRef("local-spot", "router-vm", token);
        }

        @Override
        public RouterVmObservation observe(ResourceRef vm, String name) {
            beforeSight.accept(vm);
            return Optional.ofNullable(machines.get(vm.id()))
                    .map(machine -> new RouterVmObservation(
                            BackendPhase.READY,
                            "",
                            Optional.of(BackendAddress.of(URI.create("http://127.0.0.1:" + machine.control()))
                                    .withCredential(Credential.bearer(TOKEN))),
                            Optional.of(machine.tuna().address()),
                            Optional.of(Instant.EPOCH),
                            Optional.empty(),
                            Optional.of(BigDecimal.ONE)))
                    .map(sight)
                    .orElseGet(RouterVmObservation::gone);
        }

        @Override
        public URI deliver(RouterVmPlan plan, URI jar, String sha256) {
            return jar;
        }

        @Override
        public void terminate(ResourceRef vm) {
            Optional.ofNullable(machines.remove(vm.id()))
                    .ifPresent(machine -> machine.tuna().close());
        }

        @Override
        public void cleanUp(FoundRouterVm found) {}

        @Override
        public List<FoundRouterVm> find() {
            return search.apply(machines.entrySet().stream()
                    .map(entry -> new FoundRouterVm(
                            ref(entry.getKey()), entry.getValue().plan().name(), OWNER))
                    .toList());
        }
    }

    private Machine machine(RouterVmPlan plan, int port, InMemoryStateStore state, InMemorySecretStore kept) {
        Tuna tuna = tuna(refusing(state, change -> refusedThere.test(change)), kept)
                .machine(new HostMachine(
                        "local-spot",
                        plan.name(),
                        plan.usdPerHour(),
                        InstantSource.system().instant()))
                .lodging(port, TOKEN, lodging -> program.apply(lodging))
                .start();
        return new Machine(plan, port, tuna, state, kept);
    }

    private static int freePort() {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        host.close();
        loseMachine();
        cloud.close();
    }
}
