package dev.tuna.api;

import java.util.List;

/**
 * What a search for orphans found, and where it could not look.
 *
 * @param found what carries a Tuna owner tag and belongs to no live deployment
 * @param problems one sentence for each provider that could not be searched: there may be more; empty if all could
 * @param unused names of the providers that were not searched because nothing is set up to reach them with, and no live
 *     deployment uses them; {@link ControlPlane#check} tells what they need
 */
public record OrphanReport(List<Orphan> found, List<String> problems, List<String> unused) {

    /** Copies the lists. */
    public OrphanReport {
        found = List.copyOf(found);
        problems = List.copyOf(problems);
        unused = List.copyOf(unused);
    }

    /**
     * Whether everything that is in use was searched.
     *
     * @return false if there may be orphans that were not found
     */
    public boolean complete() {
        return problems.isEmpty();
    }
}
