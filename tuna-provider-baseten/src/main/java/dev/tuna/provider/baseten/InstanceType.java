package dev.tuna.provider.baseten;

import java.math.BigDecimal;
import java.util.Optional;

/**
 * A machine that Baseten has.
 *
 * @param sku the name by which a deployment asks for it, for instance {@code L4:4x16}
 * @param name what a deployment on it is told to run on, where that is another word
 * @param gpu canonical GPU name, or Baseten's where Tuna has none
 * @param gpuCount cards in it, 1 or more
 * @param gpuMemoryGib memory of all its cards; 0 if unknown
 * @param memoryGib memory beside the cards; 0 if unknown
 * @param usdPerHour its price; empty if unknown
 */
record InstanceType(
        String sku,
        String name,
        String gpu,
        int gpuCount,
        int gpuMemoryGib,
        int memoryGib,
        Optional<BigDecimal> usdPerHour) {

    private static final double GIB = 1024.0 * 1024 * 1024;
    private static final int ENGINE_GIB = 8;

    /** Whether weights that fill the cards can pass through its memory. */
    boolean isRoomy() {
        return memoryGib == 0 || memoryGib * 4 >= gpuMemoryGib * 5;
    }

    /**
     * Whether an engine with so large weights may run out of memory beside the cards. On 16 GiB one with weights of 6 GB has
     * been seen to be killed while it loaded them.
     */
    boolean isTightFor(long weightBytes) {
        return memoryGib > 0 && ENGINE_GIB + 1.5 * weightBytes / GIB > memoryGib;
    }
}
