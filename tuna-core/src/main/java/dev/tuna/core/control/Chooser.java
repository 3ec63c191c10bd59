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
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

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

    /**
     * What there is to choose from, if that is left to us. Does not block: who runs the calls to providers may have no
     * thread left for them while this one waits.
     */
    CompletableFuture<Optional<GpuListing>> listing(DeployRequest request) {
        return isAutomatic(request)
                ? catalog.offersAsync(query(request)).thenApply(Optional::of)
                : CompletableFuture.completedFuture(Optional.empty());
    }

    private static boolean isAutomatic(DeployRequest request) {
        return request.serverlessProviders().isEmpty();
    }

    private static GpuQuery query(DeployRequest request) {
        return GpuQuery.gpu(request.gpu()).onTerms(Tier.SERVERLESS);
    }

    /**
     * Chooses.
     *
     * @param listing what {@link #listing} gave
     */
    Selection choose(String deploymentId, DeployRequest request, Set<String> excluded, Optional<GpuListing> listing) {
        boolean automatic = isAutomatic(request);
        var refusals = new Refusals();
        List<String> names =
                listing.map(offers -> byPrice(request, offers, refusals)).orElseGet(request::serverlessProviders);
        var chosen = new ArrayList<Selection.Candidate>();
        for (String name : names) {
            if (!excluded.contains(name) && !(automatic && !chosen.isEmpty())) {
                ServerlessSpec spec = Specs.serverless(deploymentId, request, name);
                candidate(name, spec, refusals).ifPresent(chosen::add);
            }
        }
        return new Selection(chosen, refusals.reasons, refusals.retryable);
    }

    private Optional<Selection.Candidate> candidate(String name, ServerlessSpec spec, Refusals refusals) {
        PreflightReport report = preflights.serverless(name, spec, true);
        if (!report.passed()) {
            refusals.add(name, Specs.failures(report), report.retryable());
            return Optional.empty();
        }
        try {
            return Optional.of(
                    new Selection.Candidate(name, clouds.serverless(name).plan(spec)));
        } catch (ConfigurationException e) {
            refusals.add(name, String.valueOf(e.getMessage()), false);
            return Optional.empty();
        }
    }

    /** The names of those that sell what is wanted, the cheapest first. */
    List<String> byPrice(DeployRequest request, Refusals refusals) {
        return byPrice(request, catalog.offers(query(request)), refusals);
    }

    private static List<String> byPrice(DeployRequest request, GpuListing listing, Refusals refusals) {
        List<String> names = Offers.cheapest(listing.offers(), request.gpu(), request.gpuCount());
        refusals.retryable |= listing.retryable();
        if (names.isEmpty()) {
            refusals.add(
                    "any",
                    "nobody offers " + request.gpuCount() + " x " + request.gpu() + " serverless"
                            + (listing.problems().isEmpty() ? "" : " (" + String.join("; ", listing.problems()) + ")"),
                    listing.retryable());
        }
        return names;
    }

    /** Who will not do, while a search goes on. Confined to one thread. */
    static final class Refusals {
        private final Map<String, String> reasons = new LinkedHashMap<>();
        private boolean retryable;

        private void add(String provider, String reason, boolean maySucceedLater) {
            reasons.put(provider, reason);
            retryable |= maySucceedLater;
        }

        Collection<String> reasons() {
            return reasons.values();
        }
    }
}
