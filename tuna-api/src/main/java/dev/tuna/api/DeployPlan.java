package dev.tuna.api;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Exactly what a deploy would do, without doing it.
 *
 * @param request the request with every default filled in
 * @param steps what would be sent, in order
 * @param adaptations defaults that a provider cannot honour and what is used instead, one sentence each
 * @param router the machine on which router and control loop would be; empty if they stay in the process that deploys
 */
public record DeployPlan(
        DeployRequest request, List<Step> steps, List<String> adaptations, Optional<RouterMachine> router) {

    /** Copies collections. */
    public DeployPlan {
        Objects.requireNonNull(request, "request");
        steps = List.copyOf(steps);
        adaptations = List.copyOf(adaptations);
        Objects.requireNonNull(router, "router");
    }

    /**
     * The same with a machine for the router.
     *
     * @param machine where router and control loop would be
     * @return another plan
     */
    public DeployPlan withRouter(RouterMachine machine) {
        return new DeployPlan(request, steps, adaptations, Optional.of(machine));
    }

    /**
     * One request to one provider.
     *
     * @param provider who would be asked
     * @param tier what kind of machine
     * @param summary one sentence
     * @param body what would be sent, as the provider's own document or as key and value lines; secrets are masked
     * @param details further facts: name to value
     */
    public record Step(String provider, Tier tier, String summary, String body, Map<String, String> details) {

        /** Copies the map. */
        public Step {
            details = Map.copyOf(details);
        }
    }

    /**
     * A machine of its own for router and control loop ({@link RouterPlacement#SEPARATE_VM}).
     *
     * @param provider who would be asked
     * @param name its name; other deployments may be on it too
     * @param shared whether it is there already, so that its price is shared
     * @param machine its type, as the provider calls it
     * @param region where it would be
     * @param usdPerHour list price of the machine with its disk and address, in US dollars an hour; empty if unknown
     * @param summary one sentence
     * @param body what would be sent, as the provider's own document; no secrets
     */
    public record RouterMachine(
            String provider,
            String name,
            boolean shared,
            String machine,
            String region,
            Optional<BigDecimal> usdPerHour,
            String summary,
            String body) {

        /** Checks that every part is there. */
        public RouterMachine {
            Objects.requireNonNull(provider, "provider");
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(machine, "machine");
            Objects.requireNonNull(region, "region");
            Objects.requireNonNull(usdPerHour, "usdPerHour");
            Objects.requireNonNull(summary, "summary");
            Objects.requireNonNull(body, "body");
        }
    }
}
