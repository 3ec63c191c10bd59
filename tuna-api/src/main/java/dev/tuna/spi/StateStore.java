package dev.tuna.spi;

import java.util.List;
import java.util.Optional;

/**
 * What a controller must not forget: deployments, outside resources, the ledger and what holds for all of it. Thread-safe; calls block until the
 * data is on disk, so they are never made on a control loop.
 *
 * <p>One controller uses a store at a time; opening one that is in use fails with
 * {@link dev.tuna.api.ErrorCode#STORE_LOCKED}. All methods throw {@link dev.tuna.api.StoreException}.
 */
public interface StateStore extends AutoCloseable {

    /**
     * The installation's id, made when the store was made.
     *
     * @return lower-case letters and digits, at most 32
     */
    String ownerId();

    /**
     * Everything that is not over: live deployments and resources not known to be gone.
     *
     * @return the state as of the last {@link #save}
     */
    StateSnapshot load();

    /**
     * Stores all parts of a change, or none.
     *
     * @param change what is new or different
     */
    void save(StateChange change);

    /**
     * Deployments that have ended, newest first.
     *
     * @param limit how many at the most, 1 or more
     * @return their last records
     */
    List<DeploymentRecord> ended(int limit);

    /**
     * The ledger of one deployment.
     *
     * @param deploymentId {@link DeploymentRecord#id()}
     * @return entries in the order in which they were appended
     */
    List<LedgerEntry> ledger(String deploymentId);

    /**
     * Something small that holds for the whole installation.
     *
     * @param name what it is about: lower-case letters and hyphens
     * @return as of the last {@link #setSetting}; empty if it was never set
     */
    Optional<String> setting(String name);

    /**
     * Stores something small that holds for the whole installation, in place of what it was before.
     *
     * @param name what it is about: lower-case letters and hyphens
     * @param json a JSON text
     */
    void setSetting(String name, String json);

    /** Gives the store up for the next controller. Idempotent. */
    @Override
    void close();
}
