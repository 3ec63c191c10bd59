package dev.tuna.core.control;

import dev.tuna.spi.ServerlessPlan;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What came of looking for serverless providers that can take a deployment.
 *
 * @param chosen provider and plan of each that will do, in order of preference
 * @param refused provider to reason of each that will not
 * @param retryable whether one of those only gave no answer, so that it may do later
 */
record Selection(List<Candidate> chosen, Map<String, String> refused, boolean retryable) {

    Selection {
        chosen = List.copyOf(chosen);
        refused = Collections.unmodifiableMap(new LinkedHashMap<>(refused));
    }

    /**
     * A provider that will do.
     *
     * @param provider its name
     * @param plan what it would be sent
     */
    record Candidate(String provider, ServerlessPlan plan) {}
}
