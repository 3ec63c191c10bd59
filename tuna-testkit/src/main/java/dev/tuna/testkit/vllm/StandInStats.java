package dev.tuna.testkit.vllm;

/**
 * Counters of a stand-in since it started, read at one moment.
 *
 * @param requests how many requests of any kind arrived
 * @param modelRequests how many of them were {@code POST} below {@code /v1}, so neither probes nor questions like this one
 * @param completed how many ended {@link Outcome#COMPLETED}
 * @param rejected how many ended {@link Outcome#REJECTED}
 * @param aborted how many ended {@link Outcome#ABORTED}
 * @param faulted how many ended {@link Outcome#FAULTED}
 * @param killed how many ended {@link Outcome#KILLED}
 * @param running how many generations run
 * @param waiting how many generations wait for capacity
 * @param promptTokens how many prompt tokens were read
 * @param generationTokens how many tokens were generated
 * @param connections how many connections are open
 */
public record StandInStats(
        long requests,
        long modelRequests,
        long completed,
        long rejected,
        long aborted,
        long faulted,
        long killed,
        int running,
        int waiting,
        long promptTokens,
        long generationTokens,
        int connections) {}
