package dev.tuna.provider.modal;

import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The tag of a deployed version. Modal's lists do not tell how an app was configured, but its history tells the tag, so
 * that is where an installation that has lost everything else finds how to reach an app and what it costs. Pure.
 *
 * @param digest of the plan, 8 hexadecimal digits: equal digests mean that nothing needs to be deployed
 * @param gpu Modal's name of the GPU, without a {@code +}
 * @param gpuCount GPUs of a container
 * @param timeout how long a request may take, in whole seconds
 * @param inFlight requests that all containers take at once
 * @param access who may send requests
 * @param place where its containers may run, which has a price
 */
record VersionTag(String digest, String gpu, int gpuCount, Duration timeout, int inFlight, Access access, Place place) {

    /** Modal's limit. */
    static final int LONGEST = 50;

    private static final Pattern FORM = Pattern.compile(
            "tuna1\\.([0-9a-f]{8})\\.([A-Za-z0-9-]+)\\.(\\d{1,2})\\.(\\d{1,6})\\.(\\d{1,9})\\.([pko])([abn])");

    /** What a tag says; empty if Tuna did not give it. */
    static Optional<VersionTag> parse(String tag) {
        Matcher parts = FORM.matcher(tag);
        if (!parts.matches()) {
            return Optional.empty();
        }
        return Optional.of(new VersionTag(
                parts.group(1),
                parts.group(2),
                Integer.parseInt(parts.group(3)),
                Duration.ofSeconds(Integer.parseInt(parts.group(4))),
                Integer.parseInt(parts.group(5)),
                access(parts.group(6).charAt(0)),
                Place.of(parts.group(7).charAt(0))));
    }

    private static Access access(char letter) {
        for (Access access : Access.values()) {
            if (access.letter() == letter) {
                return access;
            }
        }
        throw new IllegalArgumentException("no access has the letter " + letter);
    }

    String text() {
        return "tuna1." + digest + "." + gpu + "." + gpuCount + "." + timeout.toSeconds() + "." + inFlight + "."
                + access.letter() + place.letter();
    }
}
