package dev.tuna.provider.runpod;

import java.math.BigDecimal;
import java.util.List;
import java.util.Optional;

/**
 * A card that RunPod has.
 *
 * @param id RunPod's name for the type, for instance {@code NVIDIA L40S}
 * @param gpu canonical GPU name, or RunPod's display name where Tuna has none
 * @param pool the pool through which endpoints get it
 * @param memoryGb its memory
 * @param usdPerHour price of one such card in a serverless worker; empty if unknown
 * @param maxCount most cards of one machine
 * @param available whether RunPod has some to give, as far as is known
 * @param dataCenters where there are some; empty if it was not told
 */
record GpuType(
        String id,
        String gpu,
        String pool,
        int memoryGb,
        Optional<BigDecimal> usdPerHour,
        int maxCount,
        boolean available,
        List<String> dataCenters) {

    GpuType {
        dataCenters = List.copyOf(dataCenters);
    }
}
