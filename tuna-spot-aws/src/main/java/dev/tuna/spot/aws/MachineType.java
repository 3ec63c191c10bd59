package dev.tuna.spot.aws;

import java.math.BigDecimal;
import java.util.Map;
import java.util.Optional;

/**
 * A kind of machine with NVIDIA GPUs. Immutable.
 *
 * @param name EC2's name, for instance {@code g6.xlarge}
 * @param gpu canonical GPU name
 * @param gpuCount GPUs of one machine
 * @param gpuMib memory of each
 * @param vcpus virtual CPUs, in which EC2 counts quotas
 * @param memoryGib memory of the machine
 * @param spot whether it is sold on spare capacity
 * @param networkCards cards; with several a machine gets no public address at launch
 * @param listUsdPerHour price of Linux on demand in us-east-1 as it was last known, empty if it was not
 */
record MachineType(
        String name,
        String gpu,
        int gpuCount,
        int gpuMib,
        int vcpus,
        int memoryGib,
        boolean spot,
        int networkCards,
        Optional<BigDecimal> listUsdPerHour) {

    /** EC2's word for a GPU to the canonical one, where they differ and memory does not matter. */
    private static final Map<String, String> NAMES =
            Map.of("RTX PRO Server 6000", "RTX_PRO_6000", "RTX PRO 6000", "RTX_PRO_6000");

    private static final int A100_OF_80_GB = 80_000;

    /** The canonical name of a GPU that EC2 calls by another. */
    static String gpu(String name, int mib) {
        if (name.equals("A100")) {
            return mib < A100_OF_80_GB ? "A100_40GB" : "A100_80GB";
        }
        return NAMES.getOrDefault(name, name.replace(' ', '_'));
    }

    /** For instance {@code g6}. */
    String family() {
        return name.substring(0, name.indexOf('.'));
    }

    /** Whose quota it counts against. */
    Quota quota() {
        return name.startsWith("p") ? Quota.P : name.startsWith("g") ? Quota.G : Quota.STANDARD;
    }

    /** What Service Quotas calls the virtual CPUs that an account may have at once in a region. */
    enum Quota {
        /** Types whose name begins with g. */
        G("G and VT", "L-3819A6DF", "L-DB2E81BA"),
        /** Types whose name begins with p. */
        P("P", "L-7212CCBC", "L-417A185B"),
        /** All others. */
        STANDARD("Standard", "L-34B43A08", "L-1216C47A");

        private final String types;
        private final String spotCode;
        private final String onDemandCode;

        Quota(String types, String spotCode, String onDemandCode) {
            this.types = types;
            this.spotCode = spotCode;
            this.onDemandCode = onDemandCode;
        }

        String types() {
            return types;
        }

        String code(boolean spot) {
            return spot ? spotCode : onDemandCode;
        }
    }
}
