package dev.tuna.api;

/**
 * How much the GPUs of a machine do, as its own driver tells; all of them together, since one model server uses them alike.
 *
 * @param utilization share of the time in which they computed lately, in percent: 0 to 100, the mean of all GPUs
 * @param usedMib memory in use, MiB, the sum of all GPUs
 * @param totalMib memory, MiB, the sum of all GPUs
 */
public record GpuUse(int utilization, long usedMib, long totalMib) {

    /** Checks the ranges. */
    public GpuUse {
        if (utilization < 0 || utilization > 100) {
            throw new IllegalArgumentException("utilization is " + utilization + " but must be from 0 to 100");
        }
        if (usedMib < 0 || totalMib < 0) {
            throw new IllegalArgumentException(
                    "memory is " + usedMib + " of " + totalMib + " MiB but must not be negative");
        }
    }
}
