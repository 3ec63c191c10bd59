package dev.tuna.provider.support;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * Reads what a request, or else the installation, says about a provider, and gathers everything that is wrong with it.
 * Confined to one reading.
 */
public final class OptionReader {

    private final String provider;
    private final Map<String, String> values;
    private final List<String> problems = new ArrayList<>();

    /**
     * Begins; keys that are not known are problems.
     *
     * @param provider the provider's name
     * @param keys what a request and an installation may say
     * @param settingsOnly what only an installation may say
     * @param settings the installation's values
     * @param request the request's values, which win
     */
    public OptionReader(
            String provider,
            List<String> keys,
            List<String> settingsOnly,
            Map<String, String> settings,
            Map<String, String> request) {
        this.provider = provider;
        unknown(request, "option", keys, settingsOnly);
        List<String> all = new ArrayList<>(keys);
        all.addAll(settingsOnly);
        unknown(settings, "setting", all, List.of());
        values = new HashMap<>(settings);
        values.putAll(request);
    }

    private void unknown(Map<String, String> given, String what, List<String> allowed, List<String> settingsOnly) {
        for (String key : new TreeSet<>(given.keySet())) {
            if (settingsOnly.contains(key)) {
                add("option " + key + " is a setting of the installation; a request cannot change it");
            } else if (!allowed.contains(key)) {
                add(what + " '" + key + "' is not known; known are " + String.join(", ", allowed));
            }
        }
    }

    /**
     * A value as it was given.
     *
     * @param key what is asked for
     * @param otherwise what it is if nothing was said
     * @return the value, blanks and all
     */
    public String value(String key, String otherwise) {
        return values.getOrDefault(key, otherwise);
    }

    /**
     * A value without blanks around it.
     *
     * @param key what is asked for
     * @return empty if nothing, or only blanks, was given
     */
    public Optional<String> text(String key) {
        return Optional.of(value(key, "").strip()).filter(text -> !text.isEmpty());
    }

    /**
     * The parts of a value between its commas, without blanks around them.
     *
     * @param key what is asked for
     * @param otherwise what it is if nothing was said
     * @return those that are not empty
     */
    public List<String> list(String key, String otherwise) {
        return Arrays.stream(value(key, otherwise).split(","))
                .map(String::strip)
                .filter(part -> !part.isEmpty())
                .toList();
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
        text.ifPresent(given -> check(given.matches(pattern), key, given, allowed));
        return text.filter(given -> given.matches(pattern));
    }

    /**
     * Each of some values must be of a form.
     *
     * @param key what they were given for
     * @param given the values
     * @param pattern the form
     * @param allowed the form in words
     */
    public void each(String key, List<String> given, String pattern, String allowed) {
        given.forEach(value -> check(value.matches(pattern), key, value, allowed));
    }

    /**
     * A problem unless something holds.
     *
     * @param holds whether it does
     * @param key what is wrong otherwise
     * @param value what was given
     * @param allowed what may be given
     */
    public void check(boolean holds, String key, Object value, String allowed) {
        if (!holds) {
            add("option " + key + " is '" + value + "' but must be " + allowed);
        }
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
            throw new ConfigurationException(ErrorCode.INVALID_REQUEST, "provider " + provider, problems);
        }
    }
}
