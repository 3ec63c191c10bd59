package dev.tuna.api;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * What can be seen of the deployments of one installation and done to them, whichever process asks: the one that controls
 * them, or another one that acts through it. Thread-safe.
 *
 * <p>In another process every method may also throw a {@link ConfigurationException} with {@link ErrorCode#CLOSED} when the
 * controlling process has ended, and a {@link TimedOutException} when it does not answer.
 */
public interface ControlPlane extends AutoCloseable {

    /**
     * Deploys a model. Returns at once: the deployment is on disk and its endpoint answers, with requests waiting until a
     * backend serves. The controlling process hosts it, whoever asks. What happens from then on comes as {@link #events
     * events}.
     *
     * @param request what to serve
     * @return a handle
     * @throws ConfigurationException {@code INVALID_REQUEST} if a value cannot be honoured, {@code NAME_TAKEN} if the name
     *     or the model is taken; nothing was created
     * @throws ProviderNotFoundException if a provider is not on the class path
     * @throws StoreException if it cannot be stored; nothing was created
     */
    Deployment deploy(DeployRequest request);

    /**
     * What a deploy would do, without doing it: nothing is created, and no provider is asked for more than prices. Blocks.
     *
     * @param request what would be served
     * @return what would be sent to whom; secrets are references
     * @throws ConfigurationException if a value cannot be honoured
     * @throws ProviderNotFoundException if a provider is not on the class path
     */
    DeployPlan plan(DeployRequest request);

    /**
     * Checks whether a provider could be used: credentials, quota, region, tools. Blocks; creates nothing.
     *
     * @param provider name of a serverless or spot provider
     * @param gpu the GPU that would be asked for
     * @param options options for it, as in {@link DeployRequest#providerOptions()}
     * @param fix whether to mend harmless things (enable an API, say); they are then reported as fixed
     * @return every check, each failed one with its fix
     * @throws ConfigurationException if nobody knows the GPU
     * @throws ProviderNotFoundException if no provider has this name
     */
    PreflightReport check(String provider, String gpu, Map<String, String> options, boolean fix);

    /**
     * What GPUs cost. Blocks until every provider has answered or used up its time; prices may be some minutes old.
     *
     * @param query which ones
     * @return offers sorted by GPU and price, unknown prices last; what could not be asked is logged
     * @throws ConfigurationException if nobody knows the GPU
     */
    List<GpuOffer> gpus(GpuQuery query);

    /**
     * Every live deployment, those that are being destroyed included.
     *
     * @return handles, oldest first
     */
    List<Deployment> deployments();

    /**
     * A live deployment.
     *
     * @param name its name
     * @return a handle; empty if there is none of this name
     */
    Optional<Deployment> deployment(String name);

    /**
     * What is known about a deployment now; of one that is over, how it ended.
     *
     * @param name its name; the last one of this name if several are over
     * @return a snapshot
     * @throws ConfigurationException {@code NO_SUCH_DEPLOYMENT}
     */
    DeploymentStatus status(String name);

    /**
     * What a deployment has cost; of one that is over, its final bill.
     *
     * @param name its name; the last one of this name if several are over
     * @return a report
     * @throws ConfigurationException {@code NO_SUCH_DEPLOYMENT}
     */
    CostReport cost(String name);

    /**
     * What all deployments together may cost, and how things stand: those that live, and those that are over and had a part
     * in what was spent this day or month.
     *
     * @return a snapshot; {@link Budget#NONE} without any use if nothing was ever set
     */
    BudgetReport overallBudget();

    /**
     * Sets what all deployments together may cost. It is stored and holds at once, whichever process controls them, until it
     * is set again. Nothing is replaced by it.
     *
     * @param limits in place of those before; {@link Budget#NONE} to lift them
     * @throws StoreException if it cannot be stored; nothing has changed then
     */
    void setOverallBudget(Budget limits);

    /**
     * Changes a live deployment to another request of the same name, without losing a request. Endpoint and client key
     * stay. What serves goes on until the changed request serves too; then that takes all new requests, and what was
     * before finishes what it has and is removed. If the changed request does not come to serve, it is removed and what
     * was before goes on. Limits, rate and delays of rented replicas hold at once and replace nothing; so does {@code
     * serverlessOnly}. An equal request changes nothing. During a roll another request replaces the one on its way.
     *
     * @param request what to serve from then on, with the name of a live deployment
     * @return the deployment; {@link Deployment#rolled()} completes when the change has ended, either way
     * @throws ConfigurationException {@code INVALID_REQUEST} if a value cannot be honoured or the name is missing, {@code
     *     NO_SUCH_DEPLOYMENT} if none of this name is live, {@code NAME_TAKEN} if another one serves the model; nothing has
     *     changed then
     * @throws ProviderNotFoundException if a provider is not on the class path
     * @throws StoreException if it cannot be stored; nothing has changed then
     */
    Deployment redeploy(DeployRequest request);

    /**
     * Destroys a deployment, see {@link Deployment#destroy()}.
     *
     * @param name its name
     * @return completes when the clouds have confirmed that nothing is left
     * @throws ConfigurationException {@code NO_SUCH_DEPLOYMENT}
     */
    CompletableFuture<DestroyReport> destroy(String name);

    /**
     * Destroys every live deployment, side by side.
     *
     * @return completes with a report on each when the clouds have confirmed that nothing is left
     */
    default CompletableFuture<List<DestroyReport>> destroyAll() {
        List<CompletableFuture<DestroyReport>> all =
                deployments().stream().map(Deployment::destroy).toList();
        return CompletableFuture.allOf(all.toArray(CompletableFuture[]::new))
                .thenApply(done -> all.stream().map(CompletableFuture::join).toList());
    }

    /**
     * What the containers behind a live deployment's serverless endpoints have written lately. Blocks. Rented replicas have
     * no logs that their cloud could be asked for.
     *
     * @param name its name
     * @param lines how many of each endpoint at the most, 1 or more
     * @return the newest lines, endpoint by endpoint, oldest first; empty if there are none
     * @throws ConfigurationException {@code NO_SUCH_DEPLOYMENT}, or {@code INVALID_REQUEST} if the cloud of an endpoint
     *     tells no logs
     * @throws ProviderException if a cloud cannot be asked
     */
    List<LogEntry> logs(String name, int lines);

    /**
     * Has the clouds remove what they keep between the containers of a live deployment (weights, compiled kernels). What
     * serves goes on; nothing of another deployment is touched. Blocks.
     *
     * @param name its name
     * @return the endpoints whose clouds were told so; clouds that keep nothing do nothing
     * @throws ConfigurationException {@code NO_SUCH_DEPLOYMENT}
     * @throws ProviderException if a cloud refuses or cannot be asked
     */
    List<String> clearCache(String name);

    /**
     * What the store knows of every live deployment, and of some that are over. Asks no provider anything.
     *
     * @param over how many of those that are over, 0 or more
     * @return those that live, oldest first, then those that are over, newest first
     */
    List<DeploymentSummary> summaries(int over);

    /**
     * Deployments that are over.
     *
     * @param limit how many at the most, 1 or more
     * @return their last state, newest first
     */
    List<DeploymentStatus> history(int limit);

    /**
     * Searches the providers for what carries a Tuna owner tag and belongs to no live deployment. Blocks. A provider that
     * cannot be searched is among the result's problems.
     *
     * @return what was found: our own, and what other installations made, which is never touched
     */
    OrphanReport orphans();

    /**
     * Takes an orphan of this installation in as a backend of the live deployment that its tag names. It gets requests when
     * it has passed a readiness request, and like any other backend it is removed if it does not. It is billed from its
     * creation. Blocks.
     *
     * @param orphan one of {@link #orphans()}
     * @return the deployment
     * @throws ConfigurationException {@code INVALID_REQUEST} if another owner made it or it does not fit, {@code
     *     NO_SUCH_DEPLOYMENT} if its deployment is not live; it stays as it is then
     * @throws ProviderException if its provider cannot be asked
     */
    Deployment adopt(Orphan orphan);

    /**
     * Asks for an orphan of this installation to be removed. Blocks for some seconds; what takes longer is asked again.
     *
     * @param orphan one of {@link #orphans()}
     * @return whether its provider has confirmed that it is gone; if not, call again, which is harmless
     * @throws ConfigurationException {@code INVALID_REQUEST} if another owner made it, or it belongs to a live deployment
     * @throws ProviderException if its provider refuses or cannot be asked
     */
    boolean destroy(Orphan orphan);

    /**
     * Tells a listener what happens to all deployments from now on, in order, on a daemon thread. A listener that throws
     * harms nobody; one that is slow delays other listeners of the same process only.
     *
     * @param listener is called with every event
     * @return closing it ends the subscription
     */
    Subscription events(Consumer<DeploymentEvent> listener);

    /** Lets go. Destroys nothing. Idempotent. */
    @Override
    void close();

    /** A subscription to events. */
    @FunctionalInterface
    interface Subscription extends AutoCloseable {

        /** Ends it. Idempotent. */
        @Override
        void close();
    }
}
