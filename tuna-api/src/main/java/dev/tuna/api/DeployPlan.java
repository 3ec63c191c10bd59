package dev.tuna.api;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Exactly what a deploy would do, without doing it.
 *
 * @param request the request with every default filled in
 * @param steps what would be sent, in order
 * @param adaptations defaults that a provider cannot honour and what is used instead, one sentence each
 */
public record DeployPlan(DeployRequest request, List<Step> steps, List<String> adaptations) {

    /** Copies collections. */
    public DeployPlan {
        Objects.requireNonNull(request, "request");
        steps = List.copyOf(steps);
        adaptations = List.copyOf(adaptations);
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
}
