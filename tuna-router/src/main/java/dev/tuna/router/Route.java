package dev.tuna.router;

import dev.tuna.api.Tier;
import java.util.List;
import java.util.Objects;

/**
 * One deployment as the router sees it. Immutable; whoever controls the deployment replaces it whole.
 *
 * @param deployment the deployment's name: in statistics, metrics and logs
 * @param models model names that choose this route, at least one; the first is the one that {@code /v1/models} shows.
 *     {@link #ANY_MODEL} stands for every model that no other route names
 * @param keys traffic keys, any of which lets a request in; must not be empty unless {@code publicAccess}
 * @param publicAccess whether requests need no key
 * @param serverless serverless endpoints that can be used now, in order of preference
 * @param replicas replicas that serve or drain, in no particular order
 * @param warming how many replicas are on their way
 * @param policy limits and time-outs
 */
public record Route(
        String deployment,
        List<String> models,
        List<NamedKey> keys,
        boolean publicAccess,
        List<RouteBackend> serverless,
        List<RouteBackend> replicas,
        int warming,
        RoutePolicy policy) {

    /** In {@link #models()}: every model that no other route names. */
    public static final String ANY_MODEL = "*";

    /** Copies lists and checks names, tiers and that a route without keys is public on purpose. */
    public Route {
        Objects.requireNonNull(deployment, "deployment");
        models = List.copyOf(models);
        keys = List.copyOf(keys);
        serverless = List.copyOf(serverless);
        replicas = List.copyOf(replicas);
        Objects.requireNonNull(policy, "policy");
        require(!models.isEmpty(), deployment, "needs at least one model name");
        require(publicAccess || !keys.isEmpty(), deployment, "needs a traffic key, or publicAccess");
        require(
                serverless.stream().allMatch(backend -> backend.tier() == Tier.SERVERLESS),
                deployment,
                "has a replica among its serverless endpoints");
        require(
                replicas.stream().noneMatch(backend -> backend.tier() == Tier.SERVERLESS),
                deployment,
                "has a serverless endpoint among its replicas");
        require(warming >= 0, deployment, "has a negative number of warming replicas");
    }

    private static void require(boolean holds, String deployment, String what) {
        if (!holds) {
            throw new IllegalArgumentException("route '" + deployment + "' " + what);
        }
    }
}
