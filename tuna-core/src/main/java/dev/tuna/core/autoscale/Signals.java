package dev.tuna.core.autoscale;

/**
 * What the traffic looks like now.
 *
 * @param requests requests since counting began; falls only when counting begins anew
 * @param tokens tokens generated since counting began; falls only when counting begins anew
 * @param inFlight requests being served
 * @param waiting requests waiting for a backend
 * @param demand whether a request has just come that no replica could take
 */
public record Signals(long requests, long tokens, int inFlight, int waiting, boolean demand) {

    int present() {
        return inFlight + waiting;
    }
}
