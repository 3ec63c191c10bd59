package dev.tuna.core.remote;

import com.fasterxml.jackson.core.type.TypeReference;
import dev.tuna.api.Budget;
import dev.tuna.api.BudgetReport;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ControlPlane;
import dev.tuna.api.CostReport;
import dev.tuna.api.DeployPlan;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.DeploymentSummary;
import dev.tuna.api.DestroyReport;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.LogEntry;
import dev.tuna.api.Orphan;
import dev.tuna.api.OrphanReport;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.RollReport;
import dev.tuna.api.Secret;
import dev.tuna.core.budget.Outlay;
import dev.tuna.core.control.Allowance;
import dev.tuna.core.control.Bundle;
import dev.tuna.core.control.Confided;
import dev.tuna.spi.BackendAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The control plane of another process on this machine, reached through its {@link ControlServer}. Closing it leaves the
 * other process as it is. Thread-safe.
 */
public final class RemoteControlPlane implements ControlPlane {

    private static final TypeReference<Answer<List<DeploymentText>>> DEPLOYMENTS = new TypeReference<>() {};
    private static final TypeReference<Answer<DeploymentStatus>> STATUS = new TypeReference<>() {};
    private static final TypeReference<Answer<CostReport>> COST = new TypeReference<>() {};
    private static final TypeReference<Answer<BudgetReport>> BUDGET = new TypeReference<>() {};
    private static final TypeReference<Answer<List<String>>> KEY = new TypeReference<>() {};
    private static final TypeReference<Answer<DeployRequest>> REQUEST = new TypeReference<>() {};
    private static final TypeReference<Answer<URI>> ENDPOINT = new TypeReference<>() {};
    private static final TypeReference<Answer<List<String>>> CERTIFICATE = new TypeReference<>() {};
    private static final TypeReference<Answer<String>> READY = new TypeReference<>() {};
    private static final TypeReference<Answer<DeploymentText>> DEPLOYMENT = new TypeReference<>() {};
    private static final TypeReference<Answer<RollReport>> ROLLED = new TypeReference<>() {};
    private static final TypeReference<Answer<DestroyReport>> DESTROYED = new TypeReference<>() {};
    private static final TypeReference<Answer<List<DeploymentStatus>>> HISTORY = new TypeReference<>() {};
    private static final TypeReference<Answer<OrphanReport>> ORPHANS = new TypeReference<>() {};
    private static final Logger LOG = LoggerFactory.getLogger(RemoteControlPlane.class);

    private static final TypeReference<Answer<Boolean>> GONE = new TypeReference<>() {};
    private static final TypeReference<Answer<List<DeploymentSummary>>> SUMMARIES = new TypeReference<>() {};
    private static final TypeReference<Answer<Bundle>> BUNDLE = new TypeReference<>() {};
    private static final TypeReference<Answer<Boolean>> DONE = new TypeReference<>() {};
    private static final TypeReference<Answer<List<Outlay>>> SPENT = new TypeReference<>() {};
    private static final TypeReference<Answer<DeployPlan>> PLAN = new TypeReference<>() {};
    private static final TypeReference<Answer<PreflightReport>> CHECKED = new TypeReference<>() {};
    private static final TypeReference<Answer<List<GpuOffer>>> OFFERS = new TypeReference<>() {};
    private static final TypeReference<Answer<List<LogEntry>>> LOGS = new TypeReference<>() {};
    private static final TypeReference<Answer<List<String>>> CLEARED = new TypeReference<>() {};
    private static final TypeReference<Answer<DeploymentEvent>> EVENTS = new TypeReference<>() {};

    private final Connection connection;

    private RemoteControlPlane(Connection connection) {
        this.connection = connection;
    }

    /**
     * The process that controls a state directory.
     *
     * @param directory the state directory
     * @return its control plane, to be closed by the caller; empty if nobody controls the directory, or it has no control
     *     endpoint
     * @throws dev.tuna.api.StoreException {@code STORE_UNWRITABLE} if its address cannot be read, {@code STORE_TOO_NEW}
     *     if it speaks another version of this protocol
     * @throws dev.tuna.api.TimedOutException if it runs and does not answer
     */
    public static Optional<ControlPlane> of(Path directory) {
        return of(directory, Connection.PATIENCE);
    }

    static Optional<ControlPlane> of(Path directory, Duration patience) {
        return ControlAddress.in(directory)
                .flatMap(address -> answering(
                        new Connection(Peer.process(directory, address), patience),
                        address.protocol() == ControlAddress.PROTOCOL));
    }

    /**
     * The program on a router's machine.
     *
     * @param vm the machine's name
     * @param control how it is reached
     * @return its control plane, to be closed by the caller; whether it answers shows when it is asked
     */
    public static RemoteControlPlane of(String vm, BackendAddress control) {
        return new RemoteControlPlane(new Connection(Peer.vm(vm, control), Connection.PATIENCE));
    }

    private static Optional<ControlPlane> answering(Connection connection, boolean understood) {
        var remote = new RemoteControlPlane(connection);
        try {
            if (!understood) {
                throw connection.otherVersion(null);
            }
            remote.deployments();
            return Optional.of(remote);
        } catch (RuntimeException e) {
            remote.close();
            if (e instanceof ConfigurationException gone && gone.code() == ErrorCode.CLOSED) {
                return Optional.empty();
            }
            throw e;
        }
    }

    @Override
    public Deployment deploy(DeployRequest request) {
        return new RemoteDeployment(this, connection.hand("deploy", request, DEPLOYMENT));
    }

    @Override
    public DeployPlan plan(DeployRequest request) {
        return connection.hand("plan", request, PLAN);
    }

    @Override
    public PreflightReport check(String provider, String gpu, Map<String, String> options, boolean fix) {
        return connection.hand("check", new CheckText(provider, gpu, options, fix), CHECKED);
    }

    @Override
    public List<GpuOffer> gpus(GpuQuery query) {
        return connection.hand("gpus", query, OFFERS);
    }

    @Override
    public List<LogEntry> logs(String name, int lines) {
        return connection.hand("logs", new LogsText(name, lines), LOGS);
    }

    @Override
    public List<String> clearCache(String name) {
        return connection.hand(path(name, "clear-cache"), "", CLEARED);
    }

    @Override
    public List<Deployment> deployments() {
        return connection.ask("deployments", DEPLOYMENTS).stream()
                .<Deployment>map(text -> new RemoteDeployment(this, text))
                .toList();
    }

    @Override
    public Optional<Deployment> deployment(String name) {
        return find(name).map(text -> new RemoteDeployment(this, text));
    }

    private Optional<DeploymentText> find(String name) {
        return connection.ask("deployments", DEPLOYMENTS).stream()
                .filter(text -> text.name().equals(name))
                .findFirst();
    }

    /** Empty if it is over. */
    Optional<DeployRequest> request(String name) {
        try {
            return Optional.of(connection.askOthers(path(name, "request"), REQUEST));
        } catch (ConfigurationException e) {
            if (e.code() == ErrorCode.NO_SUCH_DEPLOYMENT) {
                return Optional.empty();
            }
            throw e;
        }
    }

    CompletableFuture<URI> endpoint(String name) {
        return connection.begin("GET", path(name, "endpoint"), ENDPOINT);
    }

    CompletableFuture<Optional<String>> certificate(String name) {
        return connection
                .begin("GET", path(name, "certificate"), CERTIFICATE)
                .thenApply(pem -> pem.stream().findFirst());
    }

    @Override
    public DeploymentStatus status(String name) {
        return connection.askOthers(path(name, "status"), STATUS);
    }

    @Override
    public CostReport cost(String name) {
        return connection.askOthers(path(name, "cost"), COST);
    }

    @Override
    public BudgetReport overallBudget() {
        return connection.ask("budget", BUDGET);
    }

    @Override
    public void setOverallBudget(Budget limits) {
        connection.hand("budget", limits, DONE);
    }

    Optional<Secret> apiKey(String name) {
        return connection.ask(path(name, "key"), KEY).stream().map(Secret::of).findFirst();
    }

    CompletableFuture<String> ready(String name) {
        return connection.begin("GET", path(name, "ready"), READY);
    }

    @Override
    public Deployment redeploy(DeployRequest request) {
        return new RemoteDeployment(this, connection.hand("redeploy", request, DEPLOYMENT));
    }

    CompletableFuture<RollReport> rolled(String name) {
        return connection.begin("GET", path(name, "rolled"), ROLLED);
    }

    @Override
    public CompletableFuture<DestroyReport> destroy(String name) {
        return connection.begin("POST", path(name, "destroy"), DESTROYED);
    }

    @Override
    public List<DeploymentSummary> summaries(int over) {
        return connection.ask("summaries/" + over, SUMMARIES);
    }

    @Override
    public List<DeploymentStatus> history(int limit) {
        return connection.ask("history/" + limit, HISTORY);
    }

    @Override
    public OrphanReport orphans() {
        return connection.askOthers("orphans", ORPHANS);
    }

    @Override
    public Deployment adopt(Orphan orphan) {
        return new RemoteDeployment(this, connection.hand("adopt", orphan, DEPLOYMENT));
    }

    @Override
    public boolean destroy(Orphan orphan) {
        return connection.hand("remove", orphan, GONE);
    }

    @Override
    public Subscription events(Consumer<DeploymentEvent> listener) {
        return events(
                listener, why -> LOG.warn("No more events come from {}: {}; subscribe again", connection.name(), why));
    }

    /**
     * Like {@link #events(Consumer)}, for whoever subscribes again by himself.
     *
     * @param listener is called with every event
     * @param ended is told why no more events come, if the other process or the way to it ended them
     * @return closing it ends the subscription
     */
    public Subscription events(Consumer<DeploymentEvent> listener, Consumer<String> ended) {
        return connection.follow("events", EVENTS, listener, ended);
    }

    /**
     * Gives a deployment to the other controller; again with the same bundle is harmless.
     *
     * @param bundle all of it
     */
    public void offer(Bundle bundle) {
        connection.hand("offer", bundle, DONE);
    }

    /**
     * Has the other controller stop looking after a deployment; again with the same id gives the same bundle.
     *
     * @param name the deployment's name
     * @param handover unique for ever
     * @return completes with all of it, once no call is under way for it there
     */
    public CompletableFuture<Bundle> take(String name, String handover) {
        return connection.begin("POST", handed(name, handover, "take"), BUNDLE);
    }

    /**
     * Tells the other controller that a deployment has been taken.
     *
     * @param name the deployment's name
     * @param handover by which it was taken
     */
    public void taken(String name, String handover) {
        connection.hand(handed(name, handover, "taken"), "", DONE);
    }

    /**
     * Tells the other controller that a deployment will not be taken after all.
     *
     * @param name the deployment's name
     * @param handover by which it was to be taken
     */
    public void keep(String name, String handover) {
        connection.hand(handed(name, handover, "keep"), "", DONE);
    }

    /**
     * Tells the other controller what holds of money, and hears what was spent there.
     *
     * @param told holds there from now on
     * @return what each deployment that is or was there has cost
     */
    public List<Outlay> allow(Allowance told) {
        return connection.hand("allow", told, SPENT);
    }

    /**
     * Has the other controller take in nobody any more but who is handed over to it, if it looks after nobody.
     *
     * @return whether it looks after nobody
     */
    public boolean vacate() {
        return connection.hand("vacate", "", DONE);
    }

    /**
     * Gives the other controller the secrets of a request that is to follow.
     *
     * @param confided kept there in place of others of their names
     */
    public void confide(Confided confided) {
        connection.hand("confide", confided, DONE);
    }

    /**
     * Has the other program replaced by another version; what it streams goes on to its end.
     *
     * @param next what is to run
     */
    public void upgrade(NextJar next) {
        connection.hand("upgrade", next, DONE);
    }

    private static String handed(String name, String handover, String step) {
        return path(name, step) + "/" + URLEncoder.encode(handover, StandardCharsets.UTF_8);
    }

    private static String path(String deployment, String part) {
        return "deployments/" + URLEncoder.encode(deployment, StandardCharsets.UTF_8) + "/" + part;
    }

    @Override
    public void close() {
        connection.close();
    }
}
