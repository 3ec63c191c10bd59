package dev.tuna.provider.baseten;

import java.math.BigDecimal;
import java.util.Optional;

/**
 * A machine that Baseten has.
 *
 * @param sku the name by which a deployment asks for it, for instance {@code L4:4x16}
 * @param gpu canonical GPU name, or Baseten's where Tuna has none
 * @param gpuCount cards in it, 1 or more
 * @param gpuMemoryGib memory of all its cards; 0 if unknown
 * @param memoryGib memory beside the cards; 0 if unknown
 * @param usdPerHour its price; empty if unknown
 */
record InstanceType(
        String sku, String gpu, int gpuCount, int gpuMemoryGib, int memoryGib, Optional<BigDecimal> usdPerHour) {

    /**
     * Whether weights that fill the cards can pass through its memory. A machine with as much memory as its card has been
     * seen to kill the engine while it loaded a model of half the card's size.
     */
    boolean isRoomy() {
        return memoryGib == 0 || memoryGib * 4 >= gpuMemoryGib * 5;
    }
}
