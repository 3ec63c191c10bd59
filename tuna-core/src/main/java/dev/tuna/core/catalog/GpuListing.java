package dev.tuna.core.catalog;

import dev.tuna.api.GpuOffer;
import java.util.List;

/**
 * Offers, and what kept others from being among them.
 *
 * @param offers sorted by GPU memory, GPU name and price, unknown prices last
 * @param problems one sentence for each provider that did not answer properly, serverless ones first, then by
 *     name
 * @param retryable whether one of these problems may pass by itself
 */
public record GpuListing(List<GpuOffer> offers, List<String> problems, boolean retryable) {

    /** Copies the lists. */
    public GpuListing {
        offers = List.copyOf(offers);
        problems = List.copyOf(problems);
    }
}
