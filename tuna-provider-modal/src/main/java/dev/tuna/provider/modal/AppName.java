package dev.tuna.provider.modal;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names of apps and volumes. Modal has no labels that its lists would show, so the name says whose a thing is and for what:
 * {@code tuna_<owner>_<deployment>}. Pure.
 *
 * @param owner the installation
 * @param deployment the deployment
 */
record AppName(String owner, String deployment) {

    /** Modal's limit (names of apps, volumes and secrets alike). */
    static final int LONGEST = 64;

    private static final String PREFIX = "tuna_";
    private static final Pattern FORM = Pattern.compile(PREFIX + "([a-z0-9]+)_(.+)");

    /** What a name says; empty if Tuna did not give it. */
    static Optional<AppName> parse(String name) {
        Matcher parts = FORM.matcher(name);
        return parts.matches() ? Optional.of(new AppName(parts.group(1), parts.group(2))) : Optional.empty();
    }

    /** How long a deployment's name may be, given the installation. */
    static int room(String owner) {
        return LONGEST - PREFIX.length() - owner.length() - 1;
    }

    String text() {
        return PREFIX + owner + "_" + deployment;
    }
}
