package dev.tuna.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.Budget;
import dev.tuna.api.CostReport;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.api.SpotState;
import dev.tuna.api.StoreException;
import dev.tuna.api.Tier;
import dev.tuna.core.catalog.Price;
import dev.tuna.core.control.ControlTimings;
import dev.tuna.core.control.HostMachine;
import dev.tuna.core.control.Prober;
import dev.tuna.core.remote.Lodging;
import dev.tuna.core.store.InMemoryStateStore;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.ServerlessProvider;
import dev.tuna.spi.SpotProvider;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateStore;
import dev.tuna.testkit.cloud.model.CloudSettings;
import dev.tuna.testkit.cloud.model.ReplicaView;
import dev.tuna.testkit.cloud.simulated.SimulatedCloud;
import dev.tuna.testkit.contract.InMemorySecretStore;
import dev.tuna.testkit.crash.ForwardingStateStore;
import dev.tuna.testkit.time.VirtualTime;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.BooleanSupplier;

/** A whole Tuna on virtual time, with a simulated cloud and an endpoint that is scripted. Confined to one thread. */
public final class Simulation implements AutoCloseable {

    public static final Duration LONG = Duration.ofHours(2);

    public final VirtualTime time = VirtualTime.create();
    public final SimulatedCloud cloud;
    public final InMemorySecretStore secrets = new InMemorySecretStore();

    /** The plugins; a test may put its own around them before the start. */
    public ServerlessProvider serverless;

    public SpotProvider spot;
    public final List<DeploymentEvent> events = new ArrayList<>();
    /** Serverless providers beside the cloud's own. */
    public final List<ServerlessProvider> others = new ArrayList<>();

    public InMemoryStateStore store = new InMemoryStateStore("0123456789abcdef");

    /** Whether the disk is full. */
    public boolean unwritable;

    /** Whether every call and every write is a step of its own, between which one can crash. */
    public boolean stepwise;

    private ScheduledExecutorService scheduler = time.newScheduler();
    public ControlTimings timings = ControlTimings.DEFAULT;
    /** What is said of all deployments at a start; without limits nothing is, and what is stored holds. */
    public Budget budget = Budget.NONE;

    /** What it all runs on, if that is rented for it. */
    public Optional<HostMachine> machine = Optional.empty();

    /** How a host elsewhere talks to what was started last, if that runs on such a machine. */
    public Optional<Lodging> host = Optional.empty();

    /** The endpoint of the last start. */
    @SuppressWarnings("NullAway.Init")
    public ScriptedGateway gateway;

    /** The last one started. */
    @SuppressWarnings("NullAway.Init")
    public Tuna tuna;

    public Simulation() {
        this(CloudSettings.DEFAULT.withColdStart(Duration.ofSeconds(40)).withBootDelay(Duration.ofMinutes(5)));
    }

    public Simulation(CloudSettings settings) {
        cloud = SimulatedCloud.on(time, settings);
        serverless = cloud.serverless();
        spot = cloud.spot();
    }

    /** Settings of a cloud that shows what is gone for as long as a test can take. */
    public static CloudSettings rememberingAll() {
        CloudSettings usual =
                CloudSettings.DEFAULT.withColdStart(Duration.ofSeconds(40)).withBootDelay(Duration.ofMinutes(5));
        return new CloudSettings(
                usual.pools(),
                usual.serverlessPrices(),
                usual.coldStart(),
                usual.deployTime(),
                usual.queueLimit(),
                Duration.ofDays(365));
    }

    public List<Price> prices = List.of();

    public Tuna start() {
        scheduler = time.newScheduler();
        TunaBuilder builder = Tuna.builder();
        others.forEach(builder::provider);
        if (!budget.isUnlimited()) {
            builder.budget(budget);
        }
        machine.ifPresent(rented -> {
            builder.machine(rented);
            builder.lodging(0, Secret.of("sesame"), lodging -> {
                host = Optional.of(lodging);
                return lodging;
            });
        });
        tuna = builder.prices(prices)
                .store(new SometimesUnwritable(store))
                .secrets(secrets)
                .clock(time)
                .ticker(time.ticker())
                .scheduler(scheduler)
                .executor(stepwise ? scheduler : Runnable::run)
                .random(new Random(42))
                .timings(timings)
                .provider(serverless)
                .provider(spot)
                .classLoader(ClassLoader.getPlatformClassLoader())
                .gateway(listener -> {
                    gateway = new ScriptedGateway(time, cloud, this::isAlive, listener);
                    return gateway;
                })
                .prober(prober())
                .events(events::add)
                .start();
        return tuna;
    }

    public Tuna restart() {
        tuna.close();
        store.close();
        store = store.reopen();
        return start();
    }

    /** As after kill -9: whatever the old one had on its way is lost, and it never gets to say goodbye. */
    public Tuna crash() {
        scheduler.shutdownNow();
        store.close();
        store = store.reopen();
        return start();
    }

    public boolean isAlive(URI address) {
        return cloud.running().replicas().stream()
                .anyMatch(replica -> replica.address().equals(Optional.of(address))
                        && (replica.phase() == BackendPhase.READY || replica.phase() == BackendPhase.DRAINING));
    }

    private Prober prober() {
        return new Prober() {
            @Override
            public CompletableFuture<Optional<String>> probe(BackendAddress backend, String model, Duration limit) {
                if (backend.url().getPath().startsWith("/serverless/")) {
                    return cloud.request(backend, Duration.ofMillis(100))
                            .thenApply(status -> status == 200 ? Optional.empty() : Optional.of("HTTP " + status));
                }
                return CompletableFuture.completedFuture(
                        isAlive(backend.url()) ? Optional.empty() : Optional.of("ConnectException"));
            }
        };
    }

    public static DeployRequest.Builder chat() {
        return DeployRequest.builder("Qwen/Qwen3-0.6B", "L4").serviceName("chat");
    }

    /** Deploys a chat and waits until replicas serve it. */
    public Deployment serving() {
        Deployment chat = start().deploy(chat().serverlessProviders("local").build());
        assertThat(spotServes(chat)).isTrue();
        return chat;
    }

    public boolean spotServes(Deployment deployment) {
        return until(() -> deployment.status().spotState() == SpotState.READY);
    }

    public boolean until(BooleanSupplier condition) {
        return time.runUntil(condition, LONG);
    }

    public void pass(Duration span) {
        time.advance(span);
    }

    public List<ReplicaView> running() {
        return cloud.running().replicas();
    }

    public boolean happened(DeploymentEvent.Kind kind) {
        return events.stream().anyMatch(event -> event.kind() == kind);
    }

    /** What the bill says for a tier, in US dollars. */
    public static BigDecimal billed(CostReport cost, Tier... tiers) {
        return cost.lines().stream()
                .filter(line -> List.of(tiers).contains(line.tier()))
                .flatMap(line -> line.usd().stream())
                .reduce(BigDecimal.ZERO, BigDecimal::add);
    }

    /** Steady traffic: one request each {@code every}, for {@code span}. */
    public void traffic(String deployment, Duration span, Duration every, Duration serviceTime) {
        Duration passed = Duration.ZERO;
        while (passed.compareTo(span) < 0) {
            gateway.request(deployment, serviceTime);
            time.advance(every);
            passed = passed.plus(every);
        }
    }

    @Override
    public void close() {
        if (tuna != null) {
            tuna.close();
        }
        store.close();
    }

    private final class SometimesUnwritable implements ForwardingStateStore {
        private final StateStore inner;

        SometimesUnwritable(StateStore inner) {
            this.inner = inner;
        }

        @Override
        public StateStore store() {
            return inner;
        }

        @Override
        public void save(StateChange change) {
            if (unwritable) {
                throw new StoreException(ErrorCode.STORE_UNWRITABLE, "disk full, as scripted", null);
            }
            inner.save(change);
        }

        @Override
        public void setSetting(String name, String json) {
            if (unwritable) {
                throw new StoreException(ErrorCode.STORE_UNWRITABLE, "disk full, as scripted", null);
            }
            inner.setSetting(name, json);
        }
    }
}
