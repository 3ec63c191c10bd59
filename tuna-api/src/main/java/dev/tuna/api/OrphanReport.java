package dev.tuna.api;

import java.util.List;

/**
 * What a search for orphans found, and where it could not look.
 *
 * @param found what carries a Tuna owner tag and belongs to no live deployment
 * @param problems one sentence for each provider that could not be searched: there may be more; empty if all could
 */
public record OrphanReport(List<Orphan> found, List<String> problems) {

    /** Copies the lists. */
    public OrphanReport {
        found = List.copyOf(found);
        problems = List.copyOf(problems);
    }
}
