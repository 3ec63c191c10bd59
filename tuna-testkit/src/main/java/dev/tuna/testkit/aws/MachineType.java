package dev.tuna.testkit.aws;

import java.math.BigDecimal;
import java.util.Map;

/**
 * An instance type.
 *
 * @param name for instance {@code g5.xlarge}
 * @param gpu name of its GPUs as EC2 has it; empty without GPU
 * @param manufacturer who makes the GPUs
 * @param gpus how many; 0 for a part of one
 * @param gpuMib memory of each
 * @param vcpus virtual CPUs
 * @param gib memory of the machine
 * @param storageGb local disks; 0 if there are none
 * @param architecture {@code x86_64} or {@code arm64}
 * @param usdPerHour list price of Linux on demand
 */
record MachineType(
        String name,
        String gpu,
        String manufacturer,
        int gpus,
        int gpuMib,
        int vcpus,
        int gib,
        int storageGb,
        String architecture,
        BigDecimal usdPerHour) {

    private static final Map<String, Bucket> BUCKETS = Map.of("g", Bucket.G, "vt", Bucket.G, "p", Bucket.P);

    /** For instance {@code g5}. */
    String family() {
        return name.substring(0, name.indexOf('.'));
    }

    /** Which quota it counts against. */
    Bucket bucket() {
        return BUCKETS.getOrDefault(name.replaceFirst("r?\\d.*", ""), Bucket.STANDARD);
    }

    boolean isCapacityBlock() {
        return bucket() == Bucket.P;
    }

    /** Types that share a quota. */
    enum Bucket {
        /** G and VT. */
        G("L-3819A6DF", "All G and VT Spot Instance Requests", "L-DB2E81BA", "Running On-Demand G and VT instances"),
        /** P. */
        P("L-7212CCBC", "All P4, P3 and P2 Spot Instance Requests", "L-417A185B", "Running On-Demand P instances"),
        /** A, C, D, H, I, M, R, T, Z. */
        STANDARD(
                "L-34B43A08",
                "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests",
                "L-1216C47A",
                "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances");

        private final String spotCode;
        private final String spotName;
        private final String onDemandCode;
        private final String onDemandName;

        Bucket(String spotCode, String spotName, String onDemandCode, String onDemandName) {
            this.spotCode = spotCode;
            this.spotName = spotName;
            this.onDemandCode = onDemandCode;
            this.onDemandName = onDemandName;
        }

        String code(boolean spot) {
            return spot ? spotCode : onDemandCode;
        }

        String title(boolean spot) {
            return spot ? spotName : onDemandName;
        }
    }
}
