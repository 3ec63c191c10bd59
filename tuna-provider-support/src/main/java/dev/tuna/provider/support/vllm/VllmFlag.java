package dev.tuna.provider.support.vllm;

import java.util.Objects;
import java.util.Optional;

/**
 * An option of {@code vllm serve}.
 *
 * @param name without the leading hyphens, for instance {@code max-model-len}
 * @param values how many values it takes
 * @param since the first version known to have it; {@link VllmVersion#OLDEST} if it is older or its first one is not known
 * @param until the first version known to be without it, if any; it may have gone a little earlier
 * @param instead what to write where it is not available, a part of a sentence; empty if there is nothing to say
 */
public record VllmFlag(String name, Values values, VllmVersion since, Optional<VllmVersion> until, String instead) {

    /** How many values an option takes. */
    public enum Values {
        /** None: {@code --x} or nothing. */
        SWITCH,
        /** None: {@code --x}, {@code --no-x} or nothing. */
        PAIR,
        /** Exactly one. */
        ONE,
        /** One or more, each a word of its own. */
        MANY
    }

    /** Checks that every part is there. */
    public VllmFlag {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(values, "values");
        Objects.requireNonNull(since, "since");
        Objects.requireNonNull(until, "until");
        Objects.requireNonNull(instead, "instead");
    }

    /**
     * Whether a version has it.
     *
     * @param version the version
     * @return true unless the version is known to be without it
     */
    public boolean isIn(VllmVersion version) {
        return !version.isBefore(since) && until.map(version::isBefore).orElse(true);
    }
}
