package dev.tuna.provider.support;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.BackendAddress;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads what an installation says about a provider before any request is known, and gathers everything that is wrong with
 * it. Keys it is not asked for are left to {@link OptionReader}. Confined to one reading.
 */
public final class SettingReader {

    private final String provider;
    private final Map<String, String> settings;
    private final List<String> problems = new ArrayList<>();

    /**
     * Begins.
     *
     * @param provider the provider's name
     * @param settings the installation's values
     */
    public SettingReader(String provider, Map<String, String> settings) {
        this.provider = provider;
        this.settings = settings;
    }

    /**
     * A value without blanks around it.
     *
     * @param key what is asked for
     * @return empty if nothing, or only blanks, was given
     */
    public Optional<String> text(String key) {
        return Optional.of(settings.getOrDefault(key, "").strip()).filter(value -> !value.isEmpty());
    }

    /**
     * A value of a form; another one is a problem.
     *
     * @param key what is asked for
     * @param pattern the form
     * @param allowed the form in words
     * @return empty if nothing was given, or something else
     */
    public Optional<String> matching(String key, String pattern, String allowed) {
        Optional<String> text = text(key);
        text.filter(given -> !given.matches(pattern))
                .ifPresent(given -> add(key + " is '" + given + "' but must be " + allowed));
        return text.filter(given -> given.matches(pattern));
    }

    /**
     * A URL without slashes at its end. What was given is not repeated, since URLs can hold passwords.
     *
     * @param key what is asked for
     * @param example what one looks like
     * @return empty if nothing was given, or no URL
     */
    public Optional<URI> url(String key, String example) {
        try {
            return Optional.ofNullable(settings.get(key))
                    .map(value -> BackendAddress.of(URI.create(value.strip().replaceFirst("/+$", "")))
                            .url());
        } catch (IllegalArgumentException e) {
            add(key + " is not a URL such as " + example);
            return Optional.empty();
        }
    }

    /**
     * A URL without slashes at its end.
     *
     * @param key what is asked for
     * @param otherwise what it is if nothing was said
     * @return the URL
     */
    public URI urlOr(String key, String otherwise) {
        return url(key, otherwise).orElseGet(() -> URI.create(otherwise));
    }

    /**
     * The name of a secret. What was given is not repeated: it may be the secret itself, by mistake.
     *
     * @param key what is asked for
     * @return empty if nothing was given, or no name
     */
    public Optional<SecretRef> secret(String key) {
        try {
            return text(key).map(SecretRef::new);
        } catch (ConfigurationException e) {
            add(key + " must be the name of a secret, 1 to 128 characters of A-Z a-z 0-9 . _ / -");
            return Optional.empty();
        }
    }

    /**
     * The name of a secret.
     *
     * @param key what is asked for
     * @param otherwise what it is if nothing was said
     * @return the secret
     */
    public SecretRef secretOr(String key, String otherwise) {
        return secret(key).orElseGet(() -> new SecretRef(otherwise));
    }

    /**
     * A time in whole seconds.
     *
     * @param key what is asked for
     * @param otherwise how many if nothing was said
     * @param least how many at least
     * @param most how many at the most
     * @return the time
     */
    public Duration seconds(String key, int otherwise, int least, int most) {
        String value = settings.getOrDefault(key, Integer.toString(otherwise)).strip();
        if (value.matches("\\d{1,9}") && Integer.parseInt(value) >= least && Integer.parseInt(value) <= most) {
            return Duration.ofSeconds(Integer.parseInt(value));
        }
        add(key + " is '" + value + "' but must be a number of seconds, " + least + " to " + most);
        return Duration.ofSeconds(otherwise);
    }

    /**
     * A problem in words of its own.
     *
     * @param problem one sentence
     */
    public void add(String problem) {
        problems.add(problem);
    }

    /**
     * Ends the reading.
     *
     * @throws ConfigurationException naming every problem, if there is any
     */
    public void throwIfAny() {
        if (!problems.isEmpty()) {
            throw new ConfigurationException(ErrorCode.INVALID_REQUEST, "settings of provider " + provider, problems);
        }
    }
}
