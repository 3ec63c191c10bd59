package dev.tuna.provider.runpod;

import java.math.BigDecimal;
import java.util.Map;
import java.util.TreeMap;

/** How many workers all endpoints of an account may have, by its balance (docs.runpod.io/serverless/workers/overview). Pure. */
final class WorkerQuota {

    private static final TreeMap<BigDecimal, Integer> BY_BALANCE = new TreeMap<>(Map.of(
            BigDecimal.ZERO,
            5,
            BigDecimal.valueOf(100),
            10,
            BigDecimal.valueOf(200),
            20,
            BigDecimal.valueOf(300),
            30,
            BigDecimal.valueOf(500),
            40,
            BigDecimal.valueOf(700),
            50,
            BigDecimal.valueOf(900),
            60));

    private WorkerQuota() {}

    static int of(BigDecimal balance) {
        return BY_BALANCE.floorEntry(balance.max(BigDecimal.ZERO)).getValue();
    }
}
