package dev.tuna.api;

import java.util.Objects;
import java.util.regex.Pattern;

/**
 * The name under which a {@link dev.tuna.spi.SecretStore} keeps a secret. References are safe to store and to log.
 *
 * @param name 1 to 128 characters of {@code A-Z a-z 0-9 . _ / -}
 */
public record SecretRef(String name) {

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._/-]{1,128}");

    /** Checks the name. */
    public SecretRef {
        Objects.requireNonNull(name, "name");
        var problems = new Problems("secret reference");
        problems.check(NAME.matcher(name).matches(), "name", name, "1 to 128 characters of A-Z a-z 0-9 . _ / -");
        problems.throwIfAny();
    }
}
