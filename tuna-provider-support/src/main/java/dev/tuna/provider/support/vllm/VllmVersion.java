package dev.tuna.provider.support.vllm;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A release of vLLM. What follows the three numbers ({@code rc1}, {@code .post1}) does not count.
 *
 * @param major first number, 0 so far
 * @param minor second number; flags come and go with it
 * @param patch third number
 */
public record VllmVersion(int major, int minor, int patch) implements Comparable<VllmVersion> {

    /** The oldest one that commands are built for: {@code return_token_ids}, which continuation needs, came with it. */
    public static final VllmVersion OLDEST = new VllmVersion(0, 10, 2);

    /**
     * What runs unless a request names another one, and the newest one whose flags are known. Source: the newest image tag
     * of {@code vllm/vllm-openai} in use in early October 2026.
     */
    public static final VllmVersion CURRENT = new VllmVersion(0, 31, 0);

    private static final Pattern TEXT = Pattern.compile("v?(\\d{1,4})\\.(\\d{1,4})(?:\\.(\\d{1,4}))?(?:[^\\d].*)?");

    private static final Comparator<VllmVersion> ORDER = Comparator.comparingInt(VllmVersion::major)
            .thenComparingInt(VllmVersion::minor)
            .thenComparingInt(VllmVersion::patch);

    /**
     * Reads a version.
     *
     * @param text for instance {@code 0.31.0}, with or without a leading {@code v}
     * @return the version
     * @throws ConfigurationException if it is none, or older than {@link #OLDEST}
     */
    public static VllmVersion parse(String text) {
        Matcher numbers = TEXT.matcher(text);
        if (!numbers.matches()) {
            throw invalid(text, "must look like '" + CURRENT + "'");
        }
        String patch = numbers.group(3);
        var version = new VllmVersion(
                Integer.parseInt(numbers.group(1)),
                Integer.parseInt(numbers.group(2)),
                patch == null ? 0 : Integer.parseInt(patch));
        if (version.isBefore(OLDEST)) {
            throw invalid(text, "must be " + OLDEST + " or later");
        }
        return version;
    }

    private static ConfigurationException invalid(String text, String rule) {
        return new ConfigurationException(
                ErrorCode.INVALID_REQUEST, "engineVersion is '" + text + "' but a version of vLLM " + rule);
    }

    /**
     * Whether this one was released before another.
     *
     * @param other the other one
     * @return true if it is older
     */
    public boolean isBefore(VllmVersion other) {
        return compareTo(other) < 0;
    }

    @Override
    public int compareTo(VllmVersion other) {
        return ORDER.compare(this, other);
    }

    /** For instance {@code 0.31.0}. */
    @Override
    public String toString() {
        return major + "." + minor + "." + patch;
    }
}
