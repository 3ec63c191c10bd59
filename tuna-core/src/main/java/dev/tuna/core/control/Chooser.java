package dev.tuna.core.control;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.Tier;
import dev.tuna.core.catalog.GpuCatalog;
import dev.tuna.core.catalog.GpuListing;
import dev.tuna.core.catalog.Offers;
import dev.tuna.core.provider.Clouds;
import dev.tuna.core.provider.Preflights;
import dev.tuna.spi.ServerlessSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the serverless providers for a request: every usable one of those it names, in its order, or the cheapest usable
 * one if it names none. Blocks; thread-safe.
 */
final class Chooser {

    private final Clouds clouds;
    private final GpuCatalog catalog;
    private final Preflights preflights;

    Chooser(Clouds clouds, GpuCatalog catalog) {
        this.clouds = clouds;
        this.catalog = catalog;
        this.preflights = new Preflights(clouds);
    }

    Selection choose(String deploymentId, DeployRequest request, Set<String> excluded) {
        var refused = new LinkedHashMap<String, String>();
        boolean automatic = request.serverlessProviders().isEmpty();
        List<String> names = automatic ? byPrice(request, refused) : request.serverlessProviders();
        var chosen = new ArrayList<Selection.Candidate>();
        for (String name : names) {
            if (!excluded.contains(name) && !(automatic && !chosen.isEmpty())) {
                ServerlessSpec spec = Specs.serverless(deploymentId, request, name);
                candidate(name, spec, refused).ifPresent(chosen::add);
            }
        }
        return new Selection(chosen, refused);
    }

    private Optional<Selection.Candidate> candidate(String name, ServerlessSpec spec, Map<String, String> refused) {
        PreflightReport report = preflights.serverless(name, spec, true);
        if (!report.passed()) {
            refused.put(name, Specs.failures(report));
            return Optional.empty();
        }
        try {
            return Optional.of(
                    new Selection.Candidate(name, clouds.serverless(name).plan(spec)));
        } catch (ConfigurationException e) {
            refused.put(name, String.valueOf(e.getMessage()));
            return Optional.empty();
        }
    }

    /** The names of those that sell what is wanted, the cheapest first. */
    List<String> byPrice(DeployRequest request, Map<String, String> refused) {
        GpuListing listing = catalog.offers(new GpuQuery(
                Optional.of(request.gpu()),
                Optional.empty(),
                Optional.empty(),
                Set.of(Tier.SERVERLESS),
                Optional.empty()));
        List<String> names = Offers.cheapest(listing.offers(), request.gpu(), request.gpuCount());
        if (names.isEmpty()) {
            refused.put(
                    "any",
                    "nobody offers " + request.gpuCount() + " x " + request.gpu() + " serverless"
                            + (listing.problems().isEmpty() ? "" : " (" + String.join("; ", listing.problems()) + ")"));
        }
        return names;
    }
}
