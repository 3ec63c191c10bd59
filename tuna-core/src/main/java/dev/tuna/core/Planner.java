package dev.tuna.core;

import dev.tuna.api.DeployPlan;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.core.catalog.GpuCatalog;
import dev.tuna.core.catalog.GpuListing;
import dev.tuna.core.catalog.GpuNames;
import dev.tuna.core.control.DryRun;
import dev.tuna.core.provider.Clouds;
import dev.tuna.core.provider.ProviderCatalog;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Checks requests against what this installation has, and looks things up without doing anything. Thread-safe. */
final class Planner {

    private static final Logger LOG = LoggerFactory.getLogger(Planner.class);

    private final Clouds clouds;
    private final GpuCatalog catalog;
    private final DryRun dryRun;

    Planner(Clouds clouds, GpuCatalog catalog, Duration orphanTimeout) {
        this.clouds = clouds;
        this.catalog = catalog;
        this.dryRun = new DryRun(clouds, catalog, orphanTimeout);
    }

    /** Fills in the name, and refuses what cannot be had here. */
    DeployRequest complete(DeployRequest request, Supplier<String> name) {
        ProviderCatalog providers = clouds.catalog();
        request.serverlessProviders().forEach(providers::serverless);
        request.providerOptions().keySet().forEach(providers::requireKnown);
        if (request.serverlessProviders().isEmpty()
                && providers.serverlessNames().isEmpty()) {
            // Only its error is wanted: it names the artifacts to choose from.
            providers.serverless("automatic");
        }
        cloud(request);
        GpuNames.require(request.gpu());
        return request.toBuilder()
                .serviceName(request.serviceName().orElseGet(name))
                .build();
    }

    /** Who rents the replicas of a request; nobody if it wants none. */
    Optional<String> cloud(DeployRequest request) {
        if (request.effectiveScaling().spot().maxReplicas() == 0) {
            return Optional.empty();
        }
        ProviderCatalog providers = clouds.catalog();
        request.spotCloud().ifPresent(providers::spot);
        return Optional.of(request.spotCloud().orElseGet(providers::onlySpot));
    }

    DeployPlan plan(DeployRequest request) {
        return dryRun.plan(request, cloud(request));
    }

    List<GpuOffer> offers(GpuQuery query) {
        GpuListing listing = catalog.offers(query);
        listing.problems().forEach(problem -> LOG.warn("Offers are missing: {}", problem));
        return listing.offers();
    }
}
