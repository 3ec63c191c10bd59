package dev.tuna.core.control;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.core.config.RequestJson;
import dev.tuna.spi.DeploymentRecord;
import dev.tuna.spi.LedgerEntry;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.spi.SecretStore;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateSnapshot;
import dev.tuna.spi.StateStore;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Packs what a store has of a deployment that nobody acts for, and unpacks it into another store. Blocks.
 *
 * @param store where the records are
 * @param secrets where the secrets are
 * @param providers whose plugins may have secrets of their own
 */
record Bundles(StateStore store, SecretStore secrets, Set<String> providers) {

    /** More than are launched in a year. */
    private static final int ROOM = 1_000_000;

    Bundle pack(String service, String handover) {
        StateSnapshot snapshot = store.load();
        List<DeploymentRecord> deployments = revisions(service, snapshot);
        Set<String> ids = ids(deployments);
        String account = Records.account(deployments.get(0));
        return new Bundle(
                handover,
                service,
                account,
                deployments,
                snapshot.resources().stream()
                        .filter(resource -> ids.contains(resource.deploymentId()))
                        .toList(),
                store.ledger(account),
                secretsOf(deployments));
    }

    /** Those that are not over, or the last one that is. */
    private List<DeploymentRecord> revisions(String service, StateSnapshot snapshot) {
        List<DeploymentRecord> live = of(service, snapshot);
        List<DeploymentRecord> revisions = live.isEmpty()
                ? new History(store)
                        .newest(1, record -> Records.service(record).equals(service) && Records.isCurrent(record))
                : live;
        if (revisions.isEmpty()) {
            throw new ConfigurationException(
                    ErrorCode.NO_SUCH_DEPLOYMENT,
                    "no deployment is named '" + service + "', so none can be handed over");
        }
        return revisions;
    }

    /** In one write, with whatever is to be stored beside it. What the store had of the deployment before is replaced. */
    void unpack(Bundle bundle, List<ResourceRecord> beside, Instant now) {
        bundle.secrets().forEach((name, value) -> {
            var ref = new SecretRef(name);
            // What others use too may have been changed here since.
            if (isItsOwn(name) || secrets.get(ref).isEmpty()) {
                secrets.put(ref, Secret.of(value));
            }
        });
        StateSnapshot before = store.load();
        List<LedgerEntry> known = store.ledger(bundle.account());
        Set<String> ids = ids(bundle.deployments());
        Set<String> keys = bundle.resources().stream().map(ResourceRecord::key).collect(Collectors.toSet());
        List<DeploymentRecord> replaced = of(bundle.service(), before);
        var deployments = new ArrayList<>(bundle.deployments());
        replaced.stream()
                .filter(record -> !ids.contains(record.id()))
                .forEach(record -> deployments.add(over(record, now)));
        Set<String> all = Stream.concat(ids.stream(), ids(replaced).stream()).collect(Collectors.toSet());
        var resources = new ArrayList<>(bundle.resources());
        before.resources().stream()
                .filter(resource -> all.contains(resource.deploymentId()) && !keys.contains(resource.key()))
                .forEach(resource -> resources.add(resource.in(ResourceRecord.State.GONE, now)));
        resources.addAll(beside);
        store.save(new StateChange(
                deployments,
                resources,
                bundle.ledger()
                        .subList(
                                Math.min(known.size(), bundle.ledger().size()),
                                bundle.ledger().size())));
    }

    /** Of the deployment alone: its keys, and what plugins keep under its name. */
    private boolean isItsOwn(String name) {
        String[] parts = name.split("/", 3);
        return parts[0].equals("deployments") || (parts.length == 3 && providers.contains(parts[0]));
    }

    /**
     * The other end may have launched replicas of which nobody knows any more: what is launched next must not get their names
     * and tokens.
     */
    void leaveRoom(String service, Instant now) {
        List<DeploymentRecord> records = of(service, store.load()).stream()
                .map(record -> Records.launchedMore(record, ROOM, now))
                .toList();
        store.save(new StateChange(records, List.of(), List.of()));
    }

    /** Takes out of the secret store what is kept for one deployment and for nobody else. */
    void forget(String service) {
        List<DeploymentRecord> deployments = revisions(service, store.load());
        Stream.concat(
                        deployments.stream().map(DeploymentRecord::id),
                        deployments.stream().map(Records::account))
                .distinct()
                .flatMap(id -> secrets.names("deployments/" + id + "/").stream())
                .forEach(secrets::remove);
        ofPlugins(deployments).forEach(secrets::remove);
    }

    private static List<DeploymentRecord> of(String service, StateSnapshot snapshot) {
        return snapshot.deployments().stream()
                .filter(record -> Records.service(record).equals(service))
                .toList();
    }

    /** What revisions serve. */
    static Set<String> models(List<DeploymentRecord> revisions) {
        return revisions.stream()
                .filter(record -> record.phase() == DeploymentPhase.ACTIVE)
                .map(record -> RequestJson.read(record.request(), "request of deployment '" + record.name() + "'"))
                .map(DeployRequest::model)
                .collect(Collectors.toSet());
    }

    private static Set<String> ids(List<DeploymentRecord> deployments) {
        return deployments.stream().map(DeploymentRecord::id).collect(Collectors.toSet());
    }

    /** What was made for the deployment, what its requests name, and the credentials of the providers. */
    private Map<String, String> secretsOf(List<DeploymentRecord> deployments) {
        var names = new LinkedHashSet<SecretRef>();
        for (DeploymentRecord record : deployments) {
            DeployRequest request = RequestJson.read(record.request(), "request of deployment '" + record.name() + "'");
            names.addAll(request.secrets().values());
            names.addAll(secrets.names("deployments/" + record.id() + "/"));
            names.addAll(secrets.names("deployments/" + Records.account(record) + "/"));
        }
        ofPlugins(deployments).forEach(names::add);
        providers.stream()
                .flatMap(provider -> secrets.names(provider + "/").stream())
                .filter(ref ->
                        ref.name().chars().filter(letter -> letter == '/').count() == 1)
                .forEach(names::add);
        var values = new TreeMap<String, String>();
        names.forEach(ref -> secrets.get(ref).ifPresent(secret -> values.put(ref.name(), secret.reveal())));
        return values;
    }

    private Stream<SecretRef> ofPlugins(List<DeploymentRecord> deployments) {
        return providers.stream()
                .flatMap(provider -> deployments.stream()
                        .flatMap(record -> secrets.names(provider + "/" + record.name() + "/").stream()));
    }

    private static DeploymentRecord over(DeploymentRecord record, Instant now) {
        return new DeploymentRecord(
                record.id(),
                record.name(),
                DeploymentPhase.DESTROYED,
                record.request(),
                record.details(),
                record.createdAt(),
                now);
    }
}
