package dev.tuna.provider.support.vllm;

import dev.tuna.spi.EngineSpec;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Which floating-point numbers a GPU can compute with. Pure. */
final class Precision {

    /** The first CUDA compute capability with bfloat16, in which most models are published (Ampere). */
    private static final double BFLOAT16 = 8.0;

    private static final Set<String> BFLOAT16_NAMES = Set.of("bfloat16", "bf16");

    private Precision() {}

    /** Whether the engine would choose a type that the GPU has not got, unless it is told to use half precision. */
    static boolean needsHalf(EngineSpec engine) {
        return isOld(engine) && dtype(engine.arguments()).isEmpty();
    }

    /** The type asked for, if the GPU has not got it. */
    static Optional<String> impossible(EngineSpec engine) {
        return isOld(engine) ? dtype(engine.arguments()).filter(BFLOAT16_NAMES::contains) : Optional.empty();
    }

    private static boolean isOld(EngineSpec engine) {
        return engine.computeCapability()
                .map(capability -> Double.parseDouble(capability) < BFLOAT16)
                .orElse(false);
    }

    private static Optional<String> dtype(List<String> arguments) {
        for (int at = 0; at < arguments.size(); at++) {
            String word = arguments.get(at);
            if (VllmFlags.nameIn(word).equals("dtype")) {
                int equals = word.indexOf('=');
                boolean next = equals < 0 && at + 1 < arguments.size();
                return Optional.of(next ? arguments.get(at + 1) : word.substring(equals + 1));
            }
        }
        return Optional.empty();
    }
}
