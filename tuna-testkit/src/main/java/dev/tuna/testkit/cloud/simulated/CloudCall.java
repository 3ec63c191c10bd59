package dev.tuna.testkit.cloud.simulated;

import java.time.Instant;
import java.util.Objects;

/**
 * One call that a provider made to the simulated cloud.
 *
 * @param number counts all calls, from 1
 * @param nth counts the calls of this operation, from 1
 * @param at when
 * @param provider the provider's name
 * @param operation what it asked for
 * @param target the endpoint, token or replicas it is about; empty for lists
 */
public record CloudCall(long number, long nth, Instant at, String provider, Operation operation, String target) {

    /** The calls there are; each method of a provider's cloud makes one at the most, {@code preflight} included. */
    public enum Operation {
        /** Made by {@code offers} and the serverless {@code preflight}. */
        READ_PRICES,
        /** Made by {@code begin}. */
        PUT_ENDPOINT,
        /** Made by the serverless {@code observe}. */
        READ_ENDPOINT,
        /** Made by {@code destroy}. */
        DELETE_ENDPOINT,
        /** Made by the serverless {@code find}. */
        LIST_ENDPOINTS,
        /** Made by {@code pools} and the spot {@code preflight}. */
        READ_POOLS,
        /** Made by {@code launch}. */
        LAUNCH,
        /** Made by the spot {@code observe}, unless it is asked about nothing. */
        OBSERVE,
        /** Made by {@code terminate}. */
        TERMINATE,
        /** Made by the spot {@code find}. */
        LIST_REPLICAS
    }

    /** Checks that every part is there. */
    public CloudCall {
        Objects.requireNonNull(at, "at");
        Objects.requireNonNull(provider, "provider");
        Objects.requireNonNull(operation, "operation");
        Objects.requireNonNull(target, "target");
    }
}
