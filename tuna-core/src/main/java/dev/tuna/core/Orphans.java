package dev.tuna.core;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.Deployment;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Orphan;
import dev.tuna.api.OrphanReport;
import dev.tuna.api.ProviderException;
import dev.tuna.api.Tier;
import dev.tuna.api.TunaException;
import dev.tuna.core.control.Controller;
import dev.tuna.core.control.Handover;
import dev.tuna.core.control.Stray;
import dev.tuna.core.machine.Strays;
import dev.tuna.core.provider.Clouds;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.FoundRouterVm;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.spi.ResourceRef;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * What runs at the providers and no live deployment accounts for: found, taken in or removed. Blocks.
 *
 * @param concerned tells, as of when it is asked, whether a deployment, by its name at providers, is the business of this
 *     controller: an installation may have several
 */
record Orphans(Clouds clouds, String ownerId, Controller controller, Supplier<Predicate<String>> concerned) {

    /** The kind of a machine that a router ran on; there may be more beside it. */
    private static final String ROUTER_VM = "router-vm";

    /** What every cloud shows that concerns this controller, and why a cloud shows nothing. */
    private record Finds(List<FoundResource> found, Map<String, TunaException> failures) {}

    private Finds find() {
        var found = new ArrayList<FoundResource>();
        var failures = new TreeMap<String, TunaException>();
        for (String name : clouds.catalog().serverlessNames()) {
            search(name, () -> clouds.serverless(name).find(), found, failures);
        }
        for (String name : clouds.catalog().spotNames()) {
            search(name, () -> clouds.spot(name).find(), found, failures);
        }
        // Asked after the search, as what is known is.
        Predicate<String> concerns = concerned.get();
        found.removeIf(each -> !concerns.test(each.deployment()));
        return new Finds(found, failures);
    }

    OrphanReport search() {
        return report(find());
    }

    private OrphanReport report(Finds finds) {
        // Asked after the search: what has come to be known meanwhile is no orphan.
        Set<ResourceRef> known = controller.inventory().known();
        List<Orphan> orphans = finds.found().stream()
                .filter(each -> !known.contains(each.resource()) && !isBeingMade(each))
                .map(this::orphan)
                .distinct()
                .toList();
        var problems = new ArrayList<String>();
        var unused = new ArrayList<String>();
        finds.failures().forEach((provider, failure) -> {
            boolean used = failure.code() != ErrorCode.NOT_CONFIGURED
                    || clouds.isSet(provider)
                    || known.stream().anyMatch(each -> each.provider().equals(provider));
            if (used) {
                problems.add(provider + " cannot be searched: " + failure.getMessage());
            } else {
                unused.add(provider);
            }
        });
        return new OrphanReport(orphans, problems, unused);
    }

    private static void search(
            String provider,
            Supplier<List<FoundResource>> search,
            List<FoundResource> found,
            Map<String, TunaException> failures) {
        try {
            found.addAll(search.get());
        } catch (TunaException e) {
            failures.put(provider, e);
        }
    }

    private boolean isBeingMade(FoundResource found) {
        return found.ownerId().equals(ownerId)
                && controller
                        .inventory()
                        .isMaking(found.deployment(), found.resource().provider());
    }

    private Orphan orphan(FoundResource found) {
        return new Orphan(
                found.resource().provider(),
                found.resource().id(),
                found.resource().kind(),
                found.ownerId(),
                found.deployment(),
                found.ownerId().equals(ownerId),
                found.createdAt());
    }

    /** What another controller made for a deployment of a name, and still runs. What cannot be adopted is removed. */
    Strays.Left of(String name) {
        var ofIt = new Orphans(clouds, ownerId, controller, () -> outside -> Handover.isOf(name, outside));
        Finds finds = ofIt.find();
        OrphanReport report = ofIt.report(finds);
        if (!report.problems().isEmpty()) {
            throw ProviderException.of("tuna", "find what was made for '" + name + "'")
                    .message(String.join("; ", report.problems()))
                    .retryable(true)
                    .build();
        }
        var strays = new ArrayList<Stray>();
        report.found().stream().filter(Orphan::ours).forEach(orphan -> {
            var resource = new ResourceRef(orphan.provider(), orphan.kind(), orphan.id());
            try {
                strays.add(isRented(orphan) ? replica(resource, orphan) : endpoint(resource, orphan));
            } catch (ConfigurationException e) {
                remove(resource);
            }
        });
        boolean anything =
                finds.found().stream().anyMatch(each -> each.ownerId().equals(ownerId));
        return new Strays.Left(anything, strays);
    }

    /** Asks for it to be removed. */
    void remove(ResourceRef resource) {
        if (clouds.catalog().spotNames().contains(resource.provider())) {
            clouds.spot(resource.provider()).terminate(resource);
        } else {
            clouds.serverless(resource.provider()).destroy(resource);
        }
    }

    /** Makes it a backend of the deployment that its tag names. */
    Deployment adopt(Orphan orphan) {
        ResourceRef resource = requireOurs(orphan);
        return controller.adopt(
                orphan.deployment(), isRented(orphan) ? replica(resource, orphan) : endpoint(resource, orphan));
    }

    private Stray replica(ResourceRef resource, Orphan orphan) {
        ReplicaObservation seen = clouds.spot(orphan.provider())
                .observe(List.of(resource))
                .getOrDefault(resource, ReplicaObservation.gone());
        if (seen.phase() == BackendPhase.GONE || seen.pool().isEmpty()) {
            throw refused(resource, "is no replica that runs");
        }
        Instant since = seen.launchedAt().or(orphan::createdAt).orElseThrow(() -> undated(resource));
        return new Stray(resource, seen.pool().get().tier(), seen.pool(), since);
    }

    private Stray endpoint(ResourceRef resource, Orphan orphan) {
        if (clouds.serverless(orphan.provider()).observe(resource).address().isEmpty()) {
            throw refused(resource, "is no endpoint that runs");
        }
        Instant since = orphan.createdAt().orElseThrow(() -> undated(resource));
        return new Stray(resource, Tier.SERVERLESS, Optional.empty(), since);
    }

    private static ConfigurationException undated(ResourceRef resource) {
        return refused(resource, "has no date of creation, so it could not be billed; destroy it");
    }

    /**
     * Asks for it to be removed.
     *
     * @return whether its provider has confirmed that it is gone; to be asked again until then
     */
    boolean destroy(Orphan orphan) {
        ResourceRef resource = requireOurs(orphan);
        if (controller.inventory().known().contains(resource)) {
            throw refused(resource, "belongs to a live deployment by now; destroy that");
        }
        if (isRented(orphan)) {
            if (!isGoneReplica(resource)) {
                clouds.spot(orphan.provider()).terminate(resource);
            }
            boolean gone = isGoneReplica(resource);
            if (gone && resource.kind().equals(ROUTER_VM)) {
                String name = orphan.deployment().substring(orphan.deployment().indexOf('/') + 1);
                clouds.spot(orphan.provider())
                        .routers()
                        .ifPresent(routers -> routers.cleanUp(new FoundRouterVm(resource, name, orphan.owner())));
            }
            return gone;
        }
        clouds.serverless(orphan.provider()).destroy(resource);
        return clouds.serverless(orphan.provider()).observe(resource).phase() == BackendPhase.GONE;
    }

    private boolean isGoneReplica(ResourceRef resource) {
        ReplicaObservation seen =
                clouds.spot(resource.provider()).observe(List.of(resource)).get(resource);
        return seen != null && seen.phase() == BackendPhase.GONE;
    }

    private boolean isRented(Orphan orphan) {
        return clouds.catalog().spotNames().contains(orphan.provider());
    }

    /** What others made is never touched: its tag decides, as its provider shows it now, and not what a caller says. */
    private ResourceRef requireOurs(Orphan orphan) {
        var resource = new ResourceRef(orphan.provider(), orphan.kind(), orphan.id());
        List<FoundResource> found = isRented(orphan)
                ? clouds.spot(orphan.provider()).find()
                : clouds.serverless(orphan.provider()).find();
        Optional<FoundResource> shown =
                found.stream().filter(each -> each.resource().equals(resource)).findFirst();
        String owner = shown.map(FoundResource::ownerId).orElse(orphan.owner());
        if (!owner.equals(ownerId)) {
            throw refused(
                    resource,
                    "carries the tag of owner '" + owner + "', and this installation is '" + ownerId
                            + "'; what another one made is never touched: remove it there, or at its provider");
        }
        String deployment = shown.map(FoundResource::deployment).orElse(orphan.deployment());
        if (!concerned.get().test(deployment)) {
            throw refused(
                    resource,
                    "carries the name of deployment '" + deployment
                            + "', which another controller of this installation looks after: do it there (a router VM is"
                            + " reached with --router-vm)");
        }
        return resource;
    }

    private static ConfigurationException refused(ResourceRef resource, String why) {
        return new ConfigurationException(ErrorCode.INVALID_REQUEST, resource + " " + why);
    }
}
