package dev.tuna.core.control;

import dev.tuna.spi.DeploymentRecord;
import dev.tuna.spi.StateStore;
import java.time.Instant;
import java.util.List;
import java.util.function.Predicate;

/**
 * The records of deployments that are over. A store may have many more than anybody wants to see, so it is read from its
 * newer end on, only as far as needed. Blocks; thread-safe.
 *
 * @param store where the records are
 */
record History(StateStore store) {

    /** Records that are read at once at first; revisions that were replaced have records of their own among them. */
    private static final int PIECE = 64;

    /** What ended at a moment or later. */
    List<DeploymentRecord> since(Instant moment) {
        for (int size = PIECE; ; size = size > Integer.MAX_VALUE / 2 ? Integer.MAX_VALUE : 2 * size) {
            List<DeploymentRecord> read = store.ended(size);
            boolean all = read.size() < size || size == Integer.MAX_VALUE;
            if (all || read.get(read.size() - 1).updatedAt().isBefore(moment)) {
                return read.stream()
                        .filter(record -> !record.updatedAt().isBefore(moment))
                        .toList();
            }
        }
    }

    /**
     * The newest records that somebody wants.
     *
     * @param number how many at the most, 1 or more
     * @param wanted which ones
     * @return newest first; fewer if there are no more
     */
    List<DeploymentRecord> newest(int number, Predicate<DeploymentRecord> wanted) {
        int size = Math.max(PIECE, number);
        while (true) {
            List<DeploymentRecord> read = store.ended(size);
            List<DeploymentRecord> found =
                    read.stream().filter(wanted).limit(number).toList();
            if (found.size() == number || read.size() < size) {
                return found;
            }
            size = size > Integer.MAX_VALUE / 2 ? Integer.MAX_VALUE : 2 * size;
        }
    }
}
