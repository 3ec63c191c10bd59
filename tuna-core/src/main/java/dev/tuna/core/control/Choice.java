package dev.tuna.core.control;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The search for serverless providers.
 *
 * @param settled whether it has come to a result
 * @param retryable whether some provider only gave no answer, so that the next search may find it to do
 * @param refused provider to reason of each that will not do
 * @param begun endpoints made so far; names the next one
 * @param call a search under way
 * @param retry when to search again
 */
record Choice(
        boolean settled, boolean retryable, Map<String, String> refused, int begun, Optional<Call> call, Retry retry) {

    static final Choice OPEN = new Choice(false, false, Map.of(), 0, Optional.empty(), Retry.NONE);

    Choice {
        refused = Map.copyOf(refused);
    }

    /** Whether it has ended in nothing and would do so again. */
    boolean isHopeless() {
        return settled && !retryable;
    }

    Choice searching(Call search) {
        return new Choice(settled, retryable, refused, begun, Optional.of(search), retry);
    }

    Choice found(Map<String, String> refusals, boolean maySucceedLater, int more, Retry next) {
        return new Choice(true, maySucceedLater, refusals, begun + more, Optional.empty(), next);
    }

    /** An endpoint came by itself. */
    Choice joined() {
        return new Choice(settled, retryable, refused, begun + 1, call, retry);
    }

    Choice failed(Retry next) {
        return new Choice(settled, retryable, refused, begun, Optional.empty(), next);
    }

    Choice refusing(String provider, String reason) {
        var more = new LinkedHashMap<>(refused);
        more.put(provider, reason);
        return new Choice(settled, retryable, more, begun, call, retry);
    }

    Choice resting(Retry next) {
        return new Choice(settled, retryable, refused, begun, call, next);
    }

    Choice reopened(Retry next) {
        return new Choice(false, retryable, refused, begun, Optional.empty(), next);
    }

    /** Forgets refusals. */
    Choice forgiving(boolean enough) {
        return new Choice(enough, false, Map.of(), begun, Optional.empty(), retry);
    }
}
