package dev.tuna.core;

import dev.tuna.api.Orphan;
import dev.tuna.api.TunaException;
import dev.tuna.core.control.Controller;
import dev.tuna.core.provider.Clouds;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.ResourceRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds at the providers what no live deployment accounts for. Blocks. */
record OrphanSearch(Clouds clouds, String ownerId, Controller controller) {

    private static final Logger LOG = LoggerFactory.getLogger(OrphanSearch.class);

    List<Orphan> search() {
        var found = new ArrayList<FoundResource>();
        clouds.catalog()
                .serverlessNames()
                .forEach(name ->
                        found.addAll(search(name, () -> clouds.serverless(name).find())));
        clouds.catalog()
                .spotNames()
                .forEach(name ->
                        found.addAll(search(name, () -> clouds.spot(name).find())));
        // Asked after the search: what has come to be known meanwhile is no orphan.
        Set<ResourceRef> known = controller.known();
        return found.stream()
                .filter(each -> !known.contains(each.resource()) && !isBeingMade(each))
                .map(this::orphan)
                .distinct()
                .toList();
    }

    private static List<FoundResource> search(String provider, Supplier<List<FoundResource>> search) {
        try {
            return search.get();
        } catch (TunaException e) {
            LOG.warn("Provider {} cannot be searched for orphans: {}", provider, e.getMessage());
            return List.of();
        }
    }

    private boolean isBeingMade(FoundResource found) {
        return found.ownerId().equals(ownerId)
                && controller.isMaking(found.deployment(), found.resource().provider());
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
}
