package dev.tuna.core.control;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.CostReport;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.Secret;
import dev.tuna.router.RouteLoad;
import dev.tuna.spi.DeploymentRecord;
import dev.tuna.spi.SecretStore;
import dev.tuna.spi.StateStore;
import java.net.URI;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

/** What the store knows of deployments that nobody here looks after: they are over, or elsewhere. Thread-safe. */
public final class Archive {

    private final StateStore store;
    private final SecretStore secrets;
    private final Recovery recovery;
    private final ControlTimings timings;
    private final Supplier<URI> endpoint;

    Archive(ControlParts parts, Recovery recovery, Supplier<URI> endpoint) {
        this.store = parts.store();
        this.secrets = parts.secrets();
        this.recovery = recovery;
        this.timings = parts.timings();
        this.endpoint = endpoint;
    }

    /**
     * Deployments that are over.
     *
     * @param limit how many at the most
     * @return their last state and their final bill, newest first
     */
    public List<Ended> ended(int limit) {
        return new History(store)
                .newest(limit, Records::isCurrent).stream().map(this::ended).toList();
    }

    /**
     * The last deployment of a name that is over.
     *
     * @param name its name
     * @return its last state and its final bill; empty if none of this name is over
     */
    public Optional<Ended> ended(String name) {
        return new History(store)
                .newest(1, record -> Records.service(record).equals(name) && Records.isCurrent(record)).stream()
                        .findFirst()
                        .map(this::ended);
    }

    private Ended ended(DeploymentRecord record) {
        Managed managed = asItEnded(record);
        return new Ended(
                Reports.status(managed, List.of(), RouteLoad.NONE, endpoint.get(), timings),
                finalBill(managed, record));
    }

    /**
     * What the store knows of a deployment that another controller looks after, as of when it was handed over.
     *
     * @param name its name
     * @return its last known state
     * @throws ConfigurationException {@code NO_SUCH_DEPLOYMENT}
     */
    public Away away(String name) {
        DeploymentRecord record = store.load().deployments().stream()
                .filter(each -> Records.service(each).equals(name) && Records.isCurrent(each))
                .findFirst()
                .orElseThrow(() -> Names.notLive(name, "is not live"));
        Managed managed = asItEnded(record);
        return new Away(
                managed.request(),
                managed.request().publicAccess()
                        ? Optional.empty()
                        : secrets.get(Specs.routerKey(managed.revision().account())),
                Reports.status(managed, List.of(), RouteLoad.NONE, endpoint.get(), timings),
                Reports.cost(managed, List.of(), Tally.EMPTY, Optional.empty(), at(record)));
    }

    /**
     * A deployment that another controller looks after, as it was handed over.
     *
     * @param request what was asked for
     * @param apiKey what clients send; empty if nothing
     * @param status its state; its endpoint is the one here
     * @param cost its bill up to then
     */
    public record Away(DeployRequest request, Optional<Secret> apiKey, DeploymentStatus status, CostReport cost) {}

    private Managed asItEnded(DeploymentRecord record) {
        return Records.adopt(record, List.of(), recovery::tally, Optional.empty(), at(record));
    }

    private static CostReport finalBill(Managed managed, DeploymentRecord record) {
        return Reports.cost(managed, List.of(), Tally.EMPTY, Optional.empty(), at(record));
    }

    private static Now at(DeploymentRecord record) {
        return new Now(record.updatedAt(), record.updatedAt());
    }

    /**
     * A deployment that is over.
     *
     * @param status its last state
     * @param cost its final bill
     */
    public record Ended(DeploymentStatus status, CostReport cost) {}

    /** What each deployment has cost, by account, that came to be over since a moment. */
    void spentSince(Instant since, BiConsumer<String, CostReport> bills) {
        new History(store)
                .since(since).stream()
                        .filter(Records::isCurrent)
                        .forEach(record -> bills.accept(Records.account(record), finalBill(asItEnded(record), record)));
    }
}
