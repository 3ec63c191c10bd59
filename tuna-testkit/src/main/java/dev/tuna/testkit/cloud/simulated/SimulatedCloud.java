package dev.tuna.testkit.cloud.simulated;

import dev.tuna.api.Secret;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessProvider;
import dev.tuna.spi.SpotCloud;
import dev.tuna.spi.SpotProvider;
import dev.tuna.testkit.cloud.model.CloudModel;
import dev.tuna.testkit.cloud.model.CloudRefusal;
import dev.tuna.testkit.cloud.model.CloudScript;
import dev.tuna.testkit.cloud.model.CloudSettings;
import dev.tuna.testkit.cloud.model.CloudSnapshot;
import dev.tuna.testkit.cloud.model.Lease;
import dev.tuna.testkit.cloud.model.RequestListener;
import dev.tuna.testkit.cloud.plugin.LocalServerlessCloud;
import dev.tuna.testkit.cloud.plugin.LocalSpotCloud;
import dev.tuna.testkit.time.VirtualTime;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * The local cloud on virtual time: same rules, same provider code, no I/O. Calls return at once; what takes time takes
 * virtual time; any call can be made to fail.
 *
 * <pre>{@code
 * VirtualTime time = VirtualTime.create();
 * SimulatedCloud cloud = SimulatedCloud.on(time);
 * cloud.faults(FaultScript.onCall(Operation.LAUNCH, 1, CallFault.lostAnswer()));
 * // hand cloud.serverless() and cloud.spot() to Tuna, then
 * time.advance(Duration.ofMinutes(5));
 * }</pre>
 *
 * <p>Addresses lead nowhere (host names end in {@code .invalid}); {@link #request} stands for a request. What a machine
 * does at the very moment it is told, it does when time is next moved, even by nothing. Its clock is its own and does not
 * jump with the wall clock of the machine that calls it. Memory does not grow with the time
 * simulated. Thread-safe as far as the virtual time allows.
 */
public final class SimulatedCloud implements CloudScript {

    private static final String SERVERLESS = "/serverless/";

    private final URI base;
    private final ScheduledExecutorService scheduler;
    private final VirtualMachines machines;
    private final CloudModel model;
    private final CallBook calls;

    private SimulatedCloud(VirtualTime time, CloudSettings settings, String name, String idPrefix) {
        base = URI.create("http://" + name + ".invalid");
        scheduler = time.newScheduler();
        machines = new VirtualMachines(scheduler, Duration.ZERO);
        model = new CloudModel(settings, time.steady(), scheduler, machines, idPrefix);
        calls = new CallBook(time.steady(), time::hang);
    }

    /**
     * A cloud with the default settings.
     *
     * @param time the time it lives on
     * @return an empty cloud
     */
    public static SimulatedCloud on(VirtualTime time) {
        return on(time, CloudSettings.DEFAULT);
    }

    /**
     * A cloud.
     *
     * @param time the time it lives on
     * @param settings how it starts
     * @return an empty cloud
     */
    public static SimulatedCloud on(VirtualTime time, CloudSettings settings) {
        return new SimulatedCloud(time, settings, "cloud", "");
    }

    /**
     * One of several clouds on one time.
     *
     * @param time the time it lives on
     * @param settings how it starts
     * @param name a host name; tells its endpoints and machines from those of another cloud
     * @return an empty cloud
     */
    public static SimulatedCloud on(VirtualTime time, CloudSettings settings, String name) {
        return new SimulatedCloud(time, settings, name, name + "-");
    }

    /**
     * Its serverless half as a provider.
     *
     * @return the provider {@code local}
     */
    public ServerlessProvider serverless() {
        return serverless("local");
    }

    /**
     * Its serverless half as a provider of another name.
     *
     * @param name the provider's name
     * @return the provider
     */
    public ServerlessProvider serverless(String name) {
        SimulatedApi api = new SimulatedApi(Objects.requireNonNull(name, "name"), model, calls);
        return new ServerlessProvider() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public ServerlessCloud open(ProviderContext context) {
                return new LocalServerlessCloud(name, context, api, base);
            }
        };
    }

    /**
     * The half that rents machines as a provider.
     *
     * @return the provider {@code local-spot}
     */
    public SpotProvider spot() {
        return spot("local-spot");
    }

    /**
     * The half that rents machines as a provider of another name.
     *
     * @param name the provider's name
     * @return the provider
     */
    public SpotProvider spot(String name) {
        SimulatedApi api = new SimulatedApi(Objects.requireNonNull(name, "name"), model, calls);
        return new SpotProvider() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public SpotCloud open(ProviderContext context) {
                return new LocalSpotCloud(name, context, api);
            }
        };
    }

    /**
     * Decides which calls go wrong from now on.
     *
     * @param script replaces the one before; {@link FaultScript#NONE} for none
     */
    public void faults(FaultScript script) {
        calls.script(Objects.requireNonNull(script, "script"));
    }

    /**
     * The last calls of all its providers.
     *
     * @return oldest first, at most 1000
     */
    public List<CloudCall> calls() {
        return calls.last();
    }

    /**
     * How many calls its providers made.
     *
     * @return since the start
     */
    public long callCount() {
        return calls.count();
    }

    /**
     * How many calls of one operation its providers made.
     *
     * @param operation which
     * @return since the start
     */
    public long callCount(CloudCall.Operation operation) {
        return calls.count(operation);
    }

    /**
     * How long a model server takes from its start until it listens; default zero. On top of cold start and boot delay.
     *
     * @param delay zero or longer, for those started from now on
     */
    public void engineStart(Duration delay) {
        machines.engineStart(delay);
    }

    /**
     * How long a model server takes to end when asked to; default zero.
     *
     * @param delay zero or longer, for those asked from now on
     */
    public void engineStop(Duration delay) {
        machines.engineStop(delay);
    }

    /**
     * Whether a model server answers requests at an address.
     *
     * @param machine as observed of a replica
     * @return false if nothing listens there, or what listens {@linkplain #hangEngine hangs}
     */
    public boolean answers(URI machine) {
        return machines.answers(machine);
    }

    /**
     * Whether a connection to an address is accepted.
     *
     * @param machine as observed of a replica
     * @return true if a model server listens there, even if it hangs
     */
    public boolean listens(URI machine) {
        return machines.listens(machine);
    }

    /**
     * Makes a model server accept connections and answer nothing from now on; its cloud notices nothing.
     *
     * @param machine where it listens; if nothing does, nothing happens
     */
    public void hangEngine(URI machine) {
        machines.hang(machine);
    }

    /**
     * Makes a model server exit; its machine goes on and is billed.
     *
     * @param machine where it listens; if nothing does, nothing happens
     */
    public void endEngine(URI machine) {
        machines.exit(machine);
    }

    /**
     * What runs now, without what is remembered as gone; takes no longer for a long past.
     *
     * @return like {@link #snapshot}
     */
    public CloudSnapshot running() {
        return model.running();
    }

    /**
     * A request to a serverless endpoint: it waits, wakes a container and keeps it busy.
     *
     * @param endpoint the endpoint's address as it was observed, credential included
     * @param serviceTime how long a container works on it
     * @return completes with the HTTP status in virtual time, 200 if a container has answered; cancelling it is a client
     *     that goes away
     */
    public CompletableFuture<Integer> request(BackendAddress endpoint, Duration serviceTime) {
        String name = endpoint.url().getPath().substring(SERVERLESS.length());
        CompletableFuture<Integer> answer = new CompletableFuture<>();
        Secret key = endpoint.credential()
                .map(credential -> credential.value().reveal().replaceFirst("^Bearer ", ""))
                .map(Secret::of)
                .orElse(null);
        try {
            Lease lease = model.request(name, key, new RequestListener() {
                @Override
                public void dispatched(URI container) {
                    Future<?> unused =
                            scheduler.schedule(() -> answer.complete(200), serviceTime.toNanos(), TimeUnit.NANOSECONDS);
                }

                @Override
                public void failed(int status, String message) {
                    answer.complete(status);
                }
            });
            var unused = answer.whenComplete((status, failure) -> lease.release(failure == null && status == 200));
        } catch (CloudRefusal e) {
            answer.complete(e.status());
        }
        return answer;
    }

    @Override
    public void setPrice(String pool, BigDecimal usdPerHour) {
        model.setPrice(pool, usdPerHour);
    }

    @Override
    public void setCapacity(String pool, int count) {
        model.setCapacity(pool, count);
    }

    @Override
    public void setBootDelay(String pool, Duration delay) {
        model.setBootDelay(pool, delay);
    }

    @Override
    public void failBoots(String where, int times) {
        model.failBoots(where, times);
    }

    @Override
    public void setServerlessPrice(String gpu, BigDecimal usdPerGpuHour) {
        model.setServerlessPrice(gpu, usdPerGpuHour);
    }

    @Override
    public void setColdStart(Duration delay) {
        model.setColdStart(delay);
    }

    @Override
    public void interrupt(String replica, Duration notice) {
        model.interrupt(replica, notice);
    }

    @Override
    public void recommendRebalance(String replica) {
        model.recommendRebalance(replica);
    }

    @Override
    public void lose(String id) {
        model.lose(id);
    }

    @Override
    public CloudSnapshot snapshot() {
        return model.snapshot();
    }
}
